import json

import pytest

from deploy.errors import UsageError
from deploy.supervisor import bootstrap
from deploy.supervisor.request import Request, parse

URL = "postgresql+asyncpg://faultline:a-secret@127.0.0.1/orders"


def test_databases_reach_the_supervisor_by_its_environment_alone(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Request(tmp_path_factory.mktemp("state"), databases={"orders": URL})
    assert "a-secret" not in " ".join(asked.arguments())
    for name, value in asked.environment().items():
        monkeypatch.setenv(name, value)
    assert bootstrap.options(parse(asked.arguments())).databases == {"orders": URL}


@pytest.mark.parametrize("value", ["a-secret", '["a-secret"]', json.dumps({"orders": ["a-secret"]})])
def test_databases_that_are_none_are_refused_without_repeating_them(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URLS", value)
    with pytest.raises(UsageError, match="DATABASE_URLS") as refused:
        bootstrap.options(parse(["--state=/tmp"]))
    assert "a-secret" not in str(refused.value)

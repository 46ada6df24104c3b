import json
from typing import get_args

import pytest

from deploy.errors import UsageError
from deploy.supervisor import bootstrap
from deploy.supervisor.request import Request, parse
from tests.architecture.settings_doc import settings_class

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


@pytest.mark.parametrize("chosen", [{}, {"TRACE_SAMPLE_RATIO": "0.05"}, {"HTTP_SERVER_SPANS": "lean"}])
def test_what_the_shell_chooses_for_every_process_is_handed_on(
    chosen: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TRACE_SAMPLE_RATIO", "HTTP_SERVER_SPANS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in chosen.items():
        monkeypatch.setenv(name, value)
    assert bootstrap.options(parse(["--state=/tmp"])).settings == chosen


def test_every_wrong_choice_is_named_before_anything_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACE_SAMPLE_RATIO", "1.5")
    monkeypatch.setenv("HTTP_SERVER_SPANS", "quick")
    with pytest.raises(
        UsageError, match=r"TRACE_SAMPLE_RATIO: .*less than .* 1; HTTP_SERVER_SPANS: .*'stock' or 'lean'"
    ):
        bootstrap.options(parse(["--state=/tmp"]))


@pytest.mark.parametrize("service", ["gateway", "orders"])
def test_what_may_be_chosen_is_what_services_take(service: str) -> None:
    ours, theirs = (settings_class(each).model_fields["http_server_spans"] for each in ("supervisor", service))
    assert set(get_args(get_args(ours.annotation)[0])) == set(get_args(theirs.annotation))

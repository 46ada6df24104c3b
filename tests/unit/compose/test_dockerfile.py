import re
import tomllib
from collections.abc import Iterator

from tests.unit.compose.compose_file import CHECKOUT

FOLDER = CHECKOUT / "deploy" / "docker"
LINES = (FOLDER / "Dockerfile").read_text("utf-8").replace("\\\n", " ").splitlines()
IGNORED = (FOLDER / "Dockerfile.dockerignore").read_text("utf-8").splitlines()


def instructions(name: str) -> list[str]:
    """What stands behind each instruction of that name, in order."""
    return [line.partition(" ")[2].strip() for line in LINES if line.startswith(f"{name} ")]


def copied() -> Iterator[str]:
    """What is copied from the checkout."""
    for line in instructions("COPY"):
        if not line.startswith("--from="):
            *sources, _ = line.split()
            yield from sources


def test_both_stages_have_one_base_with_its_digest() -> None:
    (base,) = instructions("ARG")
    assert re.fullmatch(r"BASE=python:3\.\d+\.\d+-slim-bookworm@sha256:[0-9a-f]{64}", base)
    assert [each.split()[0] for each in instructions("FROM")] == ["${BASE}", "${BASE}"]


def test_the_base_has_a_python_that_we_run_on() -> None:
    wanted = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]["requires-python"]
    (base,) = instructions("ARG")
    minor = re.search(r"python:3\.(\d+)", base)
    assert minor
    assert int(minor[1]) >= int(wanted.removeprefix(">=3."))


def test_what_is_copied_exists_and_reaches_the_builder() -> None:
    kept = {line.removeprefix("!") for line in IGNORED if line.startswith("!")}
    assert set(copied()) == kept
    assert all((CHECKOUT / each).exists() for each in kept)
    assert IGNORED[1] == "*"


def test_every_room_that_is_installed_is_copied() -> None:
    include = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]["find"][
        "include"
    ]
    assert {each.removesuffix("*") for each in include} <= set(copied())


def test_packages_are_those_of_the_lock_each_checked() -> None:
    installs = [each for each in instructions("RUN") if "pip install" in each]
    assert "--require-hashes --only-binary :all: -r /src/requirements/run.lock" in installs[0]
    assert "--no-index" in installs[1]


def test_the_last_stage_builds_nothing_and_is_not_root() -> None:
    final = LINES[max(number for number, line in enumerate(LINES) if line.startswith("FROM ")) :]
    assert not [line for line in final if line.startswith(("RUN ", "ADD "))]
    assert instructions("USER") == ["10001:10001"]


def test_health_is_asked_by_a_file_that_is_there() -> None:
    (check,) = instructions("HEALTHCHECK")
    assert check.endswith('CMD ["python", "-I", "-S", "/opt/faultline/health.py"]')
    assert any("cp /src/deploy/compose/health.py /opt/faultline/health.py" in each for each in instructions("RUN"))
    assert (CHECKOUT / "deploy" / "compose" / "health.py").exists()

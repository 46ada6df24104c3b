"""`--target compose`: the commands find the system that the first start announced."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from chaos.control import AwayError
from deploy.cli import common
from deploy.cli.entry import cli
from deploy.compose.containers import Containers
from deploy.compose.topology import COMPOSE, address, document
from deploy.errors import ControlError, NotRunningError
from deploy.supervisor.state import Control, StateFolder
from tests.fakes import docker as fake

NAMES = {each.name: 1 for each in COMPOSE.processes}


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StateFolder:
    """The state folder of a system in containers."""
    monkeypatch.setattr(common, "default_folder", lambda name=".faultline": tmp_path / name)
    folder = StateFolder(tmp_path / ".faultline-compose")
    folder.create()
    folder.announce(Control(address(), "a-token-that-is-no-secret", pid=0), document())
    return folder


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> fake.Docker:
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return fake.install(folder, "faultline", {**NAMES, "postgres": 1})


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


@pytest.mark.usefixtures("state")
def test_status_shows_the_containers(docker: fake.Docker) -> None:
    docker.become("orders-1", Status="exited", Pid=0)
    found: dict[str, Any] = json.loads(run("status", "--target", "compose", "--json").stdout)
    processes = {each["instance"]: each for each in found["processes"]}
    assert list(processes) == [f"{each}-1" for each in NAMES]
    assert processes["orders-1"]["detail"] == "exited, exit code 0"
    assert processes["gateway-1"]["ports"] == {"HTTP_PORT": 8080, "ADMIN_PORT": 9080, "CONTROL_PORT": 9180}
    assert "orders-1" in run("status", "--target", "compose").stdout


@pytest.mark.usefixtures("state")
def test_a_process_fault_reaches_its_container(docker: fake.Docker) -> None:
    options = ("--kind", "kill", "--ttl", "1ms", "--target", "compose")
    told = run("fault", "add", "payments", *options)
    assert told.exit_code == 0, told.output
    assert docker.asked[0] == ["kill", "payments-1"]


@pytest.mark.usefixtures("state")
def test_the_system_of_up_is_another() -> None:
    assert isinstance(run("status").exception, NotRunningError)


@pytest.mark.usefixtures("state")
def test_a_folder_and_a_target_cannot_both_be_given() -> None:
    told = run("verify", "--target", "compose", "--state", "here")
    assert told.exit_code == 2
    assert "give no --state" in told.output


def test_a_system_that_was_never_started_is_not_running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(common, "default_folder", lambda name=".faultline": tmp_path / name)
    found = run("load", "--target", "compose").exception
    assert isinstance(found, NotRunningError)
    assert "`docker compose up -d`" in str(found)


def test_a_machine_without_docker_still_tells_where_everything_is(
    state: StateFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = Containers.of(state)
    assert found
    assert found.topology()["gateway_url"] == "http://127.0.0.1:8080"
    with pytest.raises(ControlError, match="there is no command `docker`") as caught:
        found.overview()
    assert isinstance(caught.value.__cause__, AwayError)

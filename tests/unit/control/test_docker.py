"""Processes in containers, through a command `docker` that keeps its containers in a file."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from chaos.control import (
    AwayError,
    ControlError,
    DockerProcessControl,
    HttpProcessControl,
    RefusedError,
    Target,
    hold,
    process_control,
)
from chaos.control.target import Instance
from tests.fakes import docker as fake
from tests.waiting import eventually

NAMES = {"payments": 2, "orders": 1, "postgres": 1}
LONG_S = 500.0
SHORT_S = 0.1


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> fake.Docker:
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return fake.install(tmp_path, "shop", NAMES)


@pytest.fixture
def control(docker: fake.Docker, tmp_path: Path) -> Iterator[DockerProcessControl]:
    """What it began ends with it."""
    assert docker.asked == []
    yield control_of(tmp_path)
    for each in (tmp_path / "held").glob("*"):
        hold.end(each)


def control_of(folder: Path) -> DockerProcessControl:
    found = process_control(target("docker://shop", folder))
    assert isinstance(found, DockerProcessControl)
    return found


def target(address: str, folder: Path | None) -> Target:
    names = ("orders-1", "payments-1", "payments-2")
    instances = [Instance(each, each.partition("-")[0], "127.0.0.1", {}) for each in names]
    return Target(address, "token", instances, folder=folder)


def was_asked(docker: fake.Docker, verb: str, name: str) -> None:
    """Raises AssertionError while it was not."""
    assert [verb, name] in docker.asked


def state_of(control: DockerProcessControl, name: str) -> str:
    return next(each.state for each in control.states() if each.instance == name)


def test_the_address_says_how_the_processes_are_reached(tmp_path: Path) -> None:
    assert isinstance(process_control(target("http://127.0.0.1:8900", tmp_path)), HttpProcessControl)
    assert isinstance(process_control(target("docker://shop", tmp_path)), DockerProcessControl)


def test_only_the_systems_processes_are_told(control: DockerProcessControl) -> None:
    assert [each.instance for each in control.states()] == ["orders-1", "payments-1", "payments-2"]
    assert {each.state for each in control.states()} == {"ready"}


@pytest.mark.parametrize(
    ("status", "health", "word", "detail"),
    [
        ("running", "starting", "starting", ""),
        ("running", "unhealthy", "unready", "its health check fails"),
        ("paused", "unhealthy", "paused", ""),
        ("exited", "unhealthy", "waiting", "exited, exit code 0"),
        ("restarting", "starting", "waiting", "restarting, exit code 0"),
        ("created", "starting", "waiting", "created, exit code 0"),
    ],
)
def test_dockers_states_are_told_in_a_supervisors_words(
    docker: fake.Docker, control: DockerProcessControl, status: str, health: str, word: str, detail: str
) -> None:
    docker.become("orders-1", Status=status, Health={"Status": health})
    (found,) = (each for each in control.states() if each.instance == "orders-1")
    assert (found.state, found.detail) == (word, detail)


def test_all_replicas_are_killed_and_held_down_until_they_are_healed(
    docker: fake.Docker, control: DockerProcessControl
) -> None:
    before = {each.instance: each.pid for each in control.states()}
    killed = control.kill("payments", LONG_S)
    assert {each.instance: each.pid for each in killed} == {name: before[name] for name in ("payments-1", "payments-2")}
    assert state_of(control, "payments-1") == state_of(control, "payments-2") == "waiting"
    assert state_of(control, "orders-1") == "ready"
    assert [each.instance for each in control.heal()] == ["payments-1", "payments-2"]
    assert {each.state for each in control.states()} == {"ready"}
    assert docker.asked == [
        ["kill", "payments-1"],
        ["kill", "payments-2"],
        ["restart", "payments-1"],
        ["restart", "payments-2"],
    ]


def test_who_is_killed_for_no_time_is_started_at_once(
    docker: fake.Docker, control: DockerProcessControl, tmp_path: Path
) -> None:
    control.kill("orders", 0.0)
    assert docker.asked == [["kill", "orders-1"], ["start", "orders-1"]]
    assert list((tmp_path / "held").iterdir()) == []


def test_a_killed_container_comes_back_at_its_time_without_whoever_killed_it(
    docker: fake.Docker, control: DockerProcessControl
) -> None:
    control.kill("orders", SHORT_S)
    eventually(lambda: was_asked(docker, "start", "orders-1"), within=60)
    assert docker.asked == [["kill", "orders-1"], ["start", "orders-1"]]


def test_a_paused_container_goes_on_at_its_time(docker: fake.Docker, control: DockerProcessControl) -> None:
    control.pause("orders", SHORT_S)
    eventually(lambda: was_asked(docker, "unpause", "orders-1"), within=60)
    assert docker.asked == [["pause", "orders-1"], ["unpause", "orders-1"]]


def test_a_paused_container_is_woken_before_it_is_restarted(docker: fake.Docker, control: DockerProcessControl) -> None:
    control.pause("orders", LONG_S)
    control.restart("orders")
    assert docker.asked == [["pause", "orders-1"], ["unpause", "orders-1"], ["restart", "orders-1"]]


def test_where_all_is_well_nobody_is_healed(docker: fake.Docker, control: DockerProcessControl) -> None:
    assert control.heal() == []
    assert docker.asked == []


def test_what_cannot_be_is_refused(docker: fake.Docker, control: DockerProcessControl) -> None:
    with pytest.raises(RefusedError, match="orders-1 is ready: no resume") as caught:
        control.resume("orders")
    assert caught.value.status == 409
    with pytest.raises(RefusedError, match=r"ttl_s: 10000\.0 is not within 0\.\.600"):
        control.kill("orders", 10_000.0)
    with pytest.raises(RefusedError, match=r"ttl_s: 0\.0 is not within"):
        control.pause("orders", 0.0)
    docker.become("orders-1", Status="exited", Pid=0)
    with pytest.raises(RefusedError, match="orders-1 is waiting: no kill"):
        control.kill("orders", LONG_S)
    assert docker.asked == []


def test_a_machine_without_docker_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(AwayError, match="there is no command `docker`"):
        control_of(tmp_path).kill("orders", LONG_S)


def test_a_project_without_containers_is_told_so(docker: fake.Docker, tmp_path: Path) -> None:
    with pytest.raises(AwayError, match="no containers of this project"):
        process_control(target("docker://other", tmp_path)).states()
    assert docker.asked == []


def test_what_docker_says_is_handed_on(docker: fake.Docker, control: DockerProcessControl, tmp_path: Path) -> None:
    command = tmp_path / "docker"
    command.write_text("#!/bin/sh\necho 'Cannot connect to the Docker daemon' >&2\nexit 1\n")
    with pytest.raises(AwayError, match="Cannot connect to the Docker daemon"):
        control.states()
    command.write_text("#!/bin/sh\necho no-json\n")
    with pytest.raises(AwayError, match="no JSON"):
        control.states()
    assert docker.asked == []


@pytest.mark.parametrize(
    ("hurt", "ttl_s", "left"), [("kill", LONG_S, "waiting"), ("kill", 0.0, "waiting"), ("pause", LONG_S, "paused")]
)
def test_what_took_effect_without_an_answer_has_its_end_all_the_same(
    docker: fake.Docker, control: DockerProcessControl, tmp_path: Path, hurt: str, ttl_s: float, left: str
) -> None:
    command, mark = tmp_path / "docker", tmp_path / "held" / "orders-1"
    command.write_text(
        command.read_text().replace("exec ", "") + f'code=$?; [ "$1" != {hurt} ] && exit $code || exit 1\n'
    )
    with pytest.raises(AwayError):
        getattr(control, hurt)("orders", ttl_s)
    assert state_of(control, "orders-1") == left
    assert mark.read_text()
    assert docker.asked == [[hurt, "orders-1"]]
    control.heal()
    assert state_of(control, "orders-1") == "ready"


@pytest.mark.parametrize(("hurt", "ttl_s"), [("kill", LONG_S), ("kill", 0.0), ("pause", LONG_S)])
def test_without_anybody_who_ends_it_nothing_is_begun(
    docker: fake.Docker, control: DockerProcessControl, tmp_path: Path, hurt: str, ttl_s: float
) -> None:
    (tmp_path / "held").write_text("in the way")
    with pytest.raises(ControlError, match=r"nobody can be had who does `docker .*held: File exists"):
        getattr(control, hurt)("orders", ttl_s)
    assert docker.asked == []


def test_without_a_folder_for_its_end_nothing_is_begun(docker: fake.Docker) -> None:
    with pytest.raises(AwayError, match="no state folder"):
        process_control(target("docker://shop", None)).kill("orders", LONG_S)
    assert docker.asked == []

"""A program that is not ours is started, watched, restarted and surely ended, as our own processes are."""

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import psutil
import pytest

from deploy.supervisor.launch import LaunchError
from deploy.system import System, start_system
from tests.integration.supervisor import impostor
from tests.integration.supervisor.command import faultline
from tests.integration.supervisor.topologies import reference
from tests.integration.supervisor.waiting import await_end, children_of, until

INSTANCE = "prometheus-1"
Start = Callable[..., System]
Install = Callable[[str], Path]
Up = Callable[[], "subprocess.CompletedProcess[str]"]


@pytest.fixture
def install(tmp_path: Path, checkout: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Puts the impostor on a PATH on which there is nothing else; it will behave as told."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return lambda behaviour: impostor.install(folder, checkout, behaviour)


@pytest.fixture
def start(state: Path, install: Install) -> Iterator[Start]:
    """Starts a pair of processes with an impostor that behaves as told."""
    with ExitStack() as systems:

        def start(behaviour: str = "") -> System:
            install(behaviour)
            return systems.enter_context(
                start_system(state, topology=reference("PAIR"), programs=("prometheus",), ready_deadline_s=30)
            )

        yield start


@pytest.fixture
def up(state: Path) -> Iterator[Up]:
    """Runs `faultline up` in the background with the pair, and whatever is installed; ends it afterwards."""
    yield partial(faultline, state, "up", "--free-ports", "--detach", "--topology", reference("PAIR"))
    faultline(state, "down")


def program(system: System) -> psutil.Process:
    return psutil.Process(system.supervisor.process(INSTANCE)["pid"])


def family(system: System) -> list[psutil.Process]:
    """The program and its guard."""
    found = [program(system), *program(system).children()]
    assert len(found) == 2
    return found


def drained(system: System) -> bool:
    return (system.state.data / "prometheus" / "drained").exists()


def test_it_is_shown_with_its_pid_and_page(start: Start) -> None:
    system = start()
    found = system.supervisor.process(INSTANCE)
    assert found["state"] == "ready"
    assert psutil.Process(found["pid"]).cmdline()[1].endswith("/bin/prometheus")
    assert system.topology["prometheus_url"] == f"http://127.0.0.1:{found['ports']['HTTP_PORT']}"
    status = faultline(system.state.path, "status")
    assert INSTANCE in status.stdout
    programs = {each["name"]: each for each in system.topology["programs"]}
    assert programs["prometheus"]["file"].endswith("/bin/prometheus")


def test_it_drains_at_the_end(start: Start) -> None:
    system = start()
    processes = family(system)
    system.stop()
    assert drained(system)
    await_end(processes, patience_s=5)


def test_it_drains_when_the_supervisor_is_killed(start: Start) -> None:
    system = start()
    processes = family(system)
    system.kill_supervisor()
    await_end(processes)
    assert drained(system)


def test_it_is_woken_to_drain_when_the_supervisor_is_killed(start: Start) -> None:
    system = start()
    processes = family(system)
    processes[0].send_signal(signal.SIGSTOP)
    until(lambda: processes[0].status() == psutil.STATUS_STOPPED)
    system.kill_supervisor()
    await_end(processes)
    assert drained(system)


def test_one_that_does_not_drain_is_killed_when_the_supervisor_was(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRAIN_TIMEOUT_S", "0.2")
    system = start("stubborn")
    processes = family(system)
    system.kill_supervisor()
    await_end(processes)


def test_a_killed_one_is_started_again_and_its_guard_is_gone(start: Start) -> None:
    system = start()
    killed = family(system)
    system.supervisor.kill(INSTANCE)
    await_end(killed)
    until(lambda: system.supervisor.process(INSTANCE)["state"] == "ready")
    assert system.supervisor.process(INSTANCE)["restarts"] == 1
    assert len(children_of(system.supervisor_pid)) == 4  # the pair, the program, its guard


def test_a_required_one_that_does_not_start_ends_the_start_with_its_own_words(start: Start) -> None:
    with pytest.raises(LaunchError, match="prometheus-1 did not start: the store is read-only"):
        start("broken")


def test_the_system_is_ready_without_one_that_only_happens_to_be_here(state: Path, install: Install, up: Up) -> None:
    install("broken")
    ended = up()
    assert (ended.returncode, ended.stderr) == (0, "")
    status = json.loads(faultline(state, "status", "--json").stdout)
    states = {each["instance"]: (each["state"], each["detail"]) for each in status["processes"]}
    assert states[INSTANCE] == ("failed", "the store is read-only")
    assert states["front-1"][0] == "ready"
    assert f"! {INSTANCE} is given up (exit code 1): the store is read-only" in ended.stdout


def test_one_whose_folder_cannot_be_made_is_given_up_and_named(state: Path, install: Install, up: Up) -> None:
    install("")
    folder = state / "data" / "prometheus"
    folder.parent.mkdir(parents=True)
    folder.touch()
    ended = up()
    assert (ended.returncode, ended.stderr) == (0, "")
    assert f"! {INSTANCE} is given up (exit code 73): its data cannot be kept: {folder}: File exists" in ended.stdout


def test_up_says_what_it_found_and_what_serves_instead(install: Install, up: Up) -> None:
    file = install("")
    said = up().stdout
    assert f"prometheus    {file}" in said
    assert "alertmanager  not found; " in said


def test_up_names_what_is_required_and_missing(state: Path, install: Install) -> None:
    install("")
    ended = faultline(state, "up", "--require", "prometheus,alertmanager,jaeger", "--topology", reference("PAIR"))
    assert ended.returncode == os.EX_UNAVAILABLE
    assert ended.stderr.startswith("faultline: jaeger, alertmanager are required and neither on the PATH nor in ")
    assert ended.stderr.count("\n") == 1

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from deploy.supervisor import log_reader
from deploy.supervisor.launch import connect
from deploy.supervisor.state import CHECKOUT, StateFolder
from deploy.system import System, start_system
from tests.integration.supervisor.conftest import Start
from tests.integration.supervisor.topologies import reference
from tests.integration.supervisor.waiting import await_end, children_of, runs, until

STARTER = """
import sys, time
from pathlib import Path
from deploy.system import start_system
system = start_system(Path(sys.argv[1]), topology=sys.argv[2])
print(system.supervisor_pid, flush=True)
time.sleep(600)
"""


def test_children_end_when_the_supervisor_is_killed(pair: System) -> None:
    children = children_of(pair.supervisor_pid)
    assert len(children) == 2
    pair.kill_supervisor()
    await_end(children)


def test_a_stopped_child_ends_when_the_supervisor_is_killed(pair: System) -> None:
    children = children_of(pair.supervisor_pid)
    os.kill(pair.supervisor.process("back-1")["pid"], signal.SIGSTOP)
    until(lambda: psutil.STATUS_STOPPED in [each.status() for each in children])
    pair.kill_supervisor()
    await_end(children)


def test_a_child_that_ends_by_nothing_is_killed_by_the_next_up(
    start: Start, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRAIN_TIMEOUT_S", "0.1")
    first = start("STUBBORN")
    [stubborn] = children_of(first.supervisor_pid)
    first.kill_supervisor()
    assert runs(stubborn)
    with start_system(state, topology=reference("PAIR")):
        assert not runs(stubborn)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_children_drain_in_reverse_order_on_a_signal(pair: System, number: signal.Signals) -> None:
    processes = [psutil.Process(pair.supervisor_pid), *children_of(pair.supervisor_pid)]
    os.kill(pair.supervisor_pid, number)
    await_end(processes)
    lines = log_reader.read(pair.state, ["front-1", "back-1"])
    assert [line.instance for line in lines if line.record["message"] == "drained"] == ["front-1", "back-1"]
    assert not pair.state.control_file.exists()


def test_a_paused_child_is_woken_to_drain(pair: System) -> None:
    pair.supervisor.pause("front-1", ttl_s=600.0)
    pair.stop()
    assert "drained" in [line.record["message"] for line in log_reader.read(pair.state, ["front-1"])]


def test_a_second_signal_does_not_wait_for_anybody(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRAIN_TIMEOUT_S", "300")
    system = start("STUBBORN")
    children = children_of(system.supervisor_pid)
    os.kill(system.supervisor_pid, signal.SIGINT)
    until(lambda: "not ending" in [line.record["message"] for line in log_reader.read(system.state, ["stubborn-1"])])
    os.kill(system.supervisor_pid, signal.SIGINT)
    await_end(children, patience_s=60)


def test_a_child_that_does_not_drain_is_killed(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRAIN_TIMEOUT_S", "0.1")
    system = start("STUBBORN")
    children = children_of(system.supervisor_pid)
    system.stop()
    await_end(children)
    said = [line.record["message"] for line in log_reader.read(system.state, ["supervisor"])]
    assert any(line.startswith("stubborn-1 did not drain, killed after 3") for line in said)


def test_all_end_when_the_starter_is_killed(state: Path) -> None:
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER, str(state), reference("PAIR")], cwd=CHECKOUT, stdout=subprocess.PIPE
    )
    assert starter.stdout is not None
    supervisor = psutil.Process(int(starter.stdout.readline()))
    processes = [supervisor, *supervisor.children()]
    starter.kill()
    starter.wait()
    starter.stdout.close()
    await_end(processes)
    assert connect(StateFolder(state)) is None


def test_one_state_folder_has_one_supervisor(pair: System) -> None:
    with pytest.raises(Exception, match=f"Faultline already runs at {pair.supervisor.address}"):
        start_system(pair.state.path, topology=reference("PAIR"))
    assert {each["restarts"] for each in pair.supervisor.processes()} == {0}


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux sends a signal at the parent's death")
def test_a_stopped_child_ends_even_when_its_adopter_is_of_the_same_session() -> None:
    adopter = [sys.executable, "-m", "tests.integration.supervisor.adopter"]
    ended = subprocess.run(adopter, cwd=CHECKOUT, capture_output=True, text=True, timeout=30, check=False)
    assert (ended.stdout, ended.stderr) == ("0\n", "")

import json
import os
import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from deploy.supervisor import log_reader
from deploy.supervisor.state import StateFolder
from tests.integration.supervisor.command import Terminal, faultline
from tests.integration.supervisor.topologies import reference
from tests.integration.supervisor.waiting import await_end, children_of, runs

UP = ("up", "--free-ports", "--embedded-only", "--topology", reference("PAIR"))


@pytest.fixture
def terminal(state: Path) -> Iterator[Terminal]:
    """A terminal with `faultline up` in it, ready."""
    with Terminal(state, UP) as opened:
        opened.await_text("Ctrl-C ends it.")
        yield opened


def drained(state: Path) -> list[str]:
    lines = log_reader.read(StateFolder(state), ["front-1", "back-1"])
    return [line.instance for line in lines if line.record["message"] == "drained"]


def test_up_shows_progress_and_addresses_and_ctrl_c_ends_it_in_order(terminal: Terminal, state: Path) -> None:
    children = children_of(terminal.process.pid)
    for each in (
        r"✓ front-1 ready in \d",
        r"✓ back-1 ready in \d",
        r"Gateway +http://127\.0\.0\.1:\d+",
        r"Control +http",
    ):
        assert re.search(each, terminal.shown), each
    terminal.press_ctrl_c()
    assert terminal.await_end() == 0
    assert "Ended; nothing is left." in terminal.shown
    assert drained(state) == ["front-1", "back-1"]
    await_end(children, patience_s=1)


def test_a_closed_terminal_ends_everything_in_order(terminal: Terminal, state: Path) -> None:
    children = children_of(terminal.process.pid)
    terminal.hang_up()
    assert terminal.await_end() == 0
    assert drained(state) == ["front-1", "back-1"]
    await_end(children, patience_s=1)


def test_a_killed_up_leaves_nothing_not_even_a_stopped_child(terminal: Terminal) -> None:
    children = children_of(terminal.process.pid)
    children[0].send_signal(signal.SIGSTOP)
    terminal.process.kill()
    await_end(children)


def test_up_shows_what_died(terminal: Terminal) -> None:
    next(each for each in children_of(terminal.process.pid) if each.environ()["SERVICE_INSTANCE_ID"] == "back-1").kill()
    terminal.await_text("back-1 ended (SIGKILL), starts again in 0.1 s")
    terminal.await_text("back-1 ready again after")


def test_ctrl_c_while_it_starts_ends_it_too(state: Path) -> None:
    with Terminal(state, ("up", "--free-ports", "--embedded-only", "--topology", reference("NEVER_READY"))) as terminal:
        terminal.await_text("good-1 ready")
        children = children_of(terminal.process.pid)
        terminal.press_ctrl_c()
        assert terminal.await_end() == 0
        await_end(children, patience_s=1)


def test_up_detached_status_logs_and_down(state: Path, tmp_path: Path) -> None:
    up = faultline(state, *UP, "--detach", cwd=tmp_path)
    assert (up.returncode, up.stderr) == (0, "")
    assert "✓ front-1 ready in" in up.stdout
    status = json.loads(faultline(state, "status", "--json").stdout)
    pids = [status["supervisor"]["pid"], *(each["pid"] for each in status["processes"])]
    processes = [psutil.Process(pid) for pid in pids]

    again = faultline(state, *UP)
    assert again.returncode == 0
    assert again.stdout.startswith(f"Faultline already runs at {status['topology']['control_url']} (pid {pids[0]})")

    table = faultline(state, "status").stdout
    assert re.search(r"^front-1 +ready +\d+ +\d+ \d+ \d+ +\d+ MiB +0 +\d+ s", table, re.MULTILINE)

    logs = faultline(state, "logs", "front").stdout
    assert re.search(r"^\d\d:\d\d:\d\d\.\d{3} front-1 INFO    serving pid=\d+ trace=4bf92f35", logs, re.MULTILINE)
    [line] = faultline(state, "logs", "--trace", "4bf92f3577b34da6a3ce929d0e0e4736", "--json").stdout.splitlines()
    assert json.loads(line)["message"] == "serving"

    down = faultline(state, "down")
    assert (down.returncode, down.stdout) == (0, "Ended; nothing is left.\n")
    assert not [each for each in processes if runs(each)]


def test_down_and_status_when_nothing_runs(state: Path) -> None:
    down = faultline(state, "down")
    assert (down.returncode, down.stdout) == (0, f"Nothing runs (state folder {state}).\n")
    status = faultline(state, "status")
    assert status.returncode == os.EX_UNAVAILABLE
    assert (
        status.stderr == f"faultline: Faultline is not running (state folder {state}); start it with `faultline up`\n"
    )
    assert not state.exists()


def test_down_after_the_supervisor_was_killed_ends_what_it_left(state: Path) -> None:
    faultline(state, "up", "--free-ports", "--embedded-only", "--detach", "--topology", reference("PAIR"))
    control = StateFolder(state).control()
    assert control is not None
    children = children_of(control.pid)
    os.kill(control.pid, signal.SIGKILL)
    down = faultline(state, "down")
    assert down.returncode == 0
    assert not [each for each in children if runs(each)]


def test_a_failed_start_is_one_line_with_the_process_own_exit_code(state: Path) -> None:
    for detach in ((), ("--detach",)):
        up = faultline(
            state, "up", "--free-ports", "--embedded-only", "--topology", reference("WRONG_SETTINGS"), *detach
        )
        assert up.returncode == os.EX_CONFIG
        log = StateFolder(state).log_file("wrong-1")
        said = f"wrong-1 did not start: wrong settings: HTTP_PORT: too big; its log: {log}"
        assert up.stderr.splitlines() == [f"faultline: {said}"]


def test_a_taken_port_is_one_line_with_its_owner(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        monkeypatch.setenv("TINY_FIXED_PORT", str(port))
        up = faultline(state, "up", "--embedded-only", "--topology", reference("FIXED"))
    assert up.returncode == os.EX_UNAVAILABLE
    assert up.stderr.startswith(f"faultline: port {port} (fixed-1 ADMIN_PORT) is taken by pid {os.getpid()} (")


def test_a_stopped_supervisor_is_ended_by_down(state: Path) -> None:
    faultline(state, *UP, "--detach")
    control = StateFolder(state).control()
    assert control is not None
    supervisor = psutil.Process(control.pid)
    supervisor.suspend()
    assert faultline(state, "down").returncode == 0
    assert not runs(supervisor)

"""The newcomer's command: it shows what it promises, ends well, and leaves nothing but its page."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.conftest import Counts
from tests.e2e.leftovers import Mark
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(240)

DEMO = [sys.executable, "-m", "deploy.demo"]
SHORT = ["--seconds", "6", "--no-experiment"]
SERVICES = ("gateway", "orders", "inventory", "payments")


@pytest.fixture
def mark(tmp_path: Path) -> Iterator[Mark]:
    """Afterwards no process that has it runs, and nothing is left in the folder for temporary files."""
    mark = Mark()
    yield mark
    eventually(lambda: assert_gone(mark))
    eventually(lambda: assert_empty(tmp_path))


@pytest.fixture
def environment(mark: Mark, tmp_path: Path) -> dict[str, str]:
    return mark.environment | {"TMPDIR": str(tmp_path), "COLUMNS": "160"}


@pytest.mark.long
def test_without_a_terminal_it_ends_by_itself(environment: dict[str, str], checkout: Path, counts: Counts) -> None:
    page = checkout / "build" / "demo" / "trace.html"
    page.unlink(missing_ok=True)
    done = subprocess.run(
        DEMO if counts.full else [*DEMO, *SHORT],
        cwd=checkout,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert not done.stderr
    for shown in (*SERVICES, "p50", "p95", "p99", "POST /api/v1/orders", "build/demo/trace.html"):
        assert shown in done.stdout, shown
    text = page.read_text()
    assert all(service in text for service in SERVICES)
    assert not re.search(r"""(src|href)\s*=\s*["']?https?:""", text), "the page needs something from elsewhere"
    if counts.full:
        assert "Goodput during the fault" in done.stdout
        assert "The experiment's verdict: " in done.stdout.partition("All of it happened")[2]
        assert "Policies side by side" in page.with_name("experiment.html").read_text()


def test_on_a_terminal_it_stays_until_enter(environment: dict[str, str], checkout: Path) -> None:
    with on_a_terminal([*DEMO, *SHORT], checkout, environment) as (process, terminal):
        said = read_until(terminal, b"Press Enter")
        assert process.poll() is None
        assert re.search(rb"http://127\.0\.0\.1:\d+/trace/[0-9a-f]{32}", said)
        press_enter(process, terminal)
        assert process.wait(60) == 0


@pytest.mark.parametrize(("number", "shown"), [(signal.SIGINT, b"Starting"), (signal.SIGTERM, b"Traffic")])
def test_it_can_be_stopped_at_any_time(
    number: signal.Signals, shown: bytes, environment: dict[str, str], checkout: Path
) -> None:
    with on_a_terminal(DEMO, checkout, environment) as (process, terminal):
        read_until(terminal, shown)
        process.send_signal(number)
        read_until(terminal, b"")
        assert process.wait(60) == 128 + number


@contextmanager
def on_a_terminal(
    command: list[str], folder: Path, environment: dict[str, str]
) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Runs the command on a terminal of its own; yields it and the terminal's other end."""
    ours, its = pty.openpty()
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdin=its, stdout=its, stderr=its, start_new_session=True
    )
    os.close(its)
    try:
        yield process, ours
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def read_until(terminal: int, wanted: bytes) -> bytes:
    """What is shown up to and with `wanted`; all there is where that is empty."""
    shown = b""
    while more := read_some(terminal):
        shown += more
        if wanted and wanted in shown:
            return shown
    assert not wanted, f"it ended without {wanted!r}: {shown!r}"
    return shown


def press_enter(process: subprocess.Popen[bytes], terminal: int) -> None:
    """Again and again until it ends: what is typed before the demonstration listens does not count."""
    while process.poll() is None:
        with suppress(OSError):  # it ended meanwhile
            os.write(terminal, b"\n")
        ready, _, _ = select.select([terminal], [], [], 0.5)
        if ready:
            read_some(terminal)


def read_some(terminal: int) -> bytes:
    """What is shown next; nothing once nobody is at the terminal's other end."""
    try:
        return os.read(terminal, 4096)
    except OSError:  # how a terminal says so
        return b""


def assert_gone(mark: Mark) -> None:
    assert not mark.bearers()


def assert_empty(folder: Path) -> None:
    assert not list(folder.iterdir())

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.demo.ending import kept_when_it_fails

WAITING = """
import sys
from deploy.demo.ending import Interrupts, wait_for_enter
interrupts = Interrupts()
interrupts.listen()
try:
    print("waiting", flush=True)
    wait_for_enter(float(sys.argv[1]))
except KeyboardInterrupt:
    raise SystemExit(interrupts.exit_code) from None
"""


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "orders-1.jsonl").write_text("{}")
    return tmp_path / "logs"


def test_logs_are_kept_when_it_fails(logs: Path, tmp_path: Path) -> None:
    with pytest.raises(LookupError), kept_when_it_fails(logs, tmp_path / "kept"):
        raise LookupError
    assert [each.name for each in (tmp_path / "kept").iterdir()] == ["orders-1.jsonl"]


def test_nothing_is_kept_when_it_goes_well_not_even_of_an_earlier_failure(logs: Path, tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    with kept_when_it_fails(logs, tmp_path / "kept"):
        pass
    assert not (tmp_path / "kept").exists()


def test_nothing_is_kept_of_an_interrupted_run(logs: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), kept_when_it_fails(logs, tmp_path / "kept"):
        raise KeyboardInterrupt
    assert not (tmp_path / "kept").exists()


def test_a_failure_without_logs_stays_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(LookupError), kept_when_it_fails(tmp_path / "nothing", tmp_path / "kept"):
        raise LookupError


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_each_signal_ends_the_waiting_in_order(number: signal.Signals, code: int) -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen([sys.executable, "-c", WAITING, "600"], stdin=theirs, stdout=subprocess.PIPE) as waiting:
        assert waiting.stdout
        assert waiting.stdout.readline() == b"waiting\n"
        waiting.send_signal(number)
        assert waiting.wait(60) == code
    os.close(ours)
    os.close(theirs)


def test_enter_ends_the_waiting() -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen([sys.executable, "-c", WAITING, "600"], stdin=theirs, stdout=subprocess.PIPE) as waiting:
        assert waiting.stdout
        assert waiting.stdout.readline() == b"waiting\n"
        # What was typed before the waiting began is thrown away, so one Enter may be too early.
        for _ in range(100):
            os.write(ours, b"\n")
            try:
                assert waiting.wait(0.1) == 0
                break
            except subprocess.TimeoutExpired:
                continue
        else:
            pytest.fail("Enter did not end it")
    os.close(ours)
    os.close(theirs)


def test_the_waiting_ends_by_itself() -> None:
    ours, theirs = pty.openpty()
    ended = subprocess.run([sys.executable, "-c", WAITING, "0.01"], stdin=theirs, timeout=60, check=False)
    assert ended.returncode == 0
    os.close(ours)
    os.close(theirs)

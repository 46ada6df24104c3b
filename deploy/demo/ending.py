"""How the demonstration ends: by itself, at Enter, or by a signal; in any case orderly."""

import select
import shutil
import signal
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final

_ENDING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupts:
    """Makes the first of Ctrl-C, SIGTERM and SIGHUP a `KeyboardInterrupt`, through every `finally`, and the last one.

    What comes later is ignored: cleaning up is bounded in time, and half of it would leave things behind.
    """

    def __init__(self) -> None:
        self.exit_code = 128 + signal.SIGINT

    def listen(self) -> None:
        """From now on. What whoever started us has ignored (`nohup`, a shell's background) stays ignored."""
        for number in _ENDING:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._heard)

    def ignore(self) -> None:
        """From now on nothing interrupts."""
        for number in _ENDING:
            signal.signal(number, signal.SIG_IGN)

    def _heard(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the signature of a handler
        self.ignore()
        self.exit_code = 128 + number
        raise KeyboardInterrupt


@contextmanager
def kept_when_it_fails(logs: Path, kept: Path) -> Iterator[None]:
    """Copy `logs` to `kept` when the block fails. Of a run that went well, or was interrupted, nothing stays."""
    shutil.rmtree(kept, ignore_errors=True)
    try:
        yield
    except Exception:
        if logs.is_dir():
            shutil.copytree(logs, kept, dirs_exist_ok=True)
        raise


def wait_for_enter(timeout_s: float) -> None:
    """Until somebody presses Enter, or the time is over. What was typed before does not count."""
    termios.tcflush(sys.stdin, termios.TCIFLUSH)
    if select.select([sys.stdin], [], [], timeout_s)[0]:
        sys.stdin.readline()

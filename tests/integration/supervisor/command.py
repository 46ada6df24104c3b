"""The `faultline` command as a process of its own, with a terminal or without."""

import fcntl
import os
import pty
import re
import select
import subprocess
import sys
import termios
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from deploy.supervisor.state import CHECKOUT

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
COMMAND = [sys.executable, "-m", "deploy.cli"]


def environment(state: Path) -> dict[str, str]:
    """Ours, with the state folder and a checkout that is found from any folder."""
    return {**os.environ, "FAULTLINE_STATE_DIR": str(state), "PYTHONPATH": str(CHECKOUT), "COLUMNS": "100"}


def faultline(
    state: Path, *arguments: str, cwd: Path | None = None, at_most_s: float = 60
) -> subprocess.CompletedProcess[str]:
    """Runs the command to its end."""
    command, env = [*COMMAND, *arguments], environment(state)
    return subprocess.run(command, env=env, cwd=cwd, capture_output=True, text=True, timeout=at_most_s, check=False)


class Terminal:
    """The command in the foreground of a terminal of its own."""

    def __init__(self, state: Path, arguments: Sequence[str]) -> None:
        self._ours, theirs = pty.openpty()
        self.shown = ""
        self.process = subprocess.Popen(
            [*COMMAND, *arguments],
            env=environment(state),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            # The new session has no terminal until it takes one; only then do Ctrl-C and a hang-up mean something.
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 -- there are no threads yet
        )
        os.close(theirs)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.hang_up()

    def press_ctrl_c(self) -> None:
        os.write(self._ours, b"\x03")

    def hang_up(self) -> None:
        """The window is closed."""
        if self._ours >= 0:
            os.close(self._ours)
            self._ours = -1

    def await_text(self, text: str, patience_s: float = 20.0) -> str:
        """Everything shown so far, once `text` is in it."""
        give_up = time.monotonic() + patience_s
        while text not in self.shown:
            assert time.monotonic() < give_up, f"no {text!r} in {self.shown!r}"
            if select.select([self._ours], [], [], 0.1)[0]:
                self.shown += self._read()
        return self.shown

    def await_end(self, patience_s: float = 20.0) -> int:
        """The exit code; reads on meanwhile, so that the process is not blocked by a full terminal."""
        give_up = time.monotonic() + patience_s
        while self.process.poll() is None:
            assert time.monotonic() < give_up, f"still runs: {self.shown!r}"
            if self._ours >= 0 and select.select([self._ours], [], [], 0.1)[0]:
                self.shown += self._read()
        return self.process.wait()

    def _read(self) -> str:
        try:
            shown = os.read(self._ours, 65536).decode(errors="replace")
        except OSError:  # Linux's way to say that nobody has the other side any more
            time.sleep(0.05)
            return ""
        return _COLOUR.sub("", shown).replace("\r\n", "\n")

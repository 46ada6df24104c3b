"""Ends something at its time: `python -m chaos.control.hold FILE TOKEN SECONDS COMMAND...`, a process that outlives its starter.

`FILE` says whose turn it is: who was begun later, or was ended before, has changed it, and the command is left undone.
"""

import os
import secrets
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from chaos.control.errors import HoldError

_ROOT: Final = Path(__file__).resolve().parents[2]
_LOOK_S: Final = 0.5
_TRIES: Final = 30
_BETWEEN_TRIES_S: Final = 2.0


def begin(file: Path, seconds: float, command: Sequence[str]) -> None:
    """Has the command run after so many seconds, unless `end` or another `begin` with this file comes before.

    Raises HoldError where no process can be had for it; whoever was begun earlier then goes on.
    """
    token = secrets.token_hex(8)
    with _translated(f"nobody can be had who does `{shlex.join(command)}` after {seconds:g} s"):
        file.parent.mkdir(mode=0o700, exist_ok=True)
        subprocess.run(
            [sys.executable, "-m", "chaos.control.hold", str(file), token, str(seconds), *command],
            cwd=_ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            check=True,
        )


def end(file: Path) -> None:
    """Whatever was begun with this file is left undone. Raises HoldError."""
    with _translated("what was to be done later goes on"):
        file.unlink(missing_ok=True)


@contextmanager
def _translated(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        raise HoldError(f"{what}: {exc.filename}: {exc.strerror}") from exc
    except subprocess.CalledProcessError as exc:
        raise HoldError(f"{what}: its process ended with {exc.returncode}") from exc


def main(arguments: Sequence[str]) -> int:
    """Goes on as a process that is nobody's child; its exit code is the command's, 0 when it was not its turn."""
    name, token, seconds, *command = arguments
    file, (its_turn, taken) = Path(name), os.pipe()
    if os.fork():
        _take_turn(file, token)  # only now that there is somebody to whom it belongs
        return 0
    os.close(taken)
    os.read(its_turn, 1)  # until our parent has ended, and has taken the turn for us before that, or never will
    return wait_and_do(file, token, float(seconds), command)


def wait_and_do(file: Path, token: str, seconds: float, command: Sequence[str]) -> int:
    """Runs the command, after so many seconds, as long as the file has this token; its exit code, 0 when it was not run."""
    due = time.monotonic() + seconds
    while (left := due - time.monotonic()) > 0 and _is_turn(file, token):
        time.sleep(min(left, _LOOK_S))
    code = 0
    for _ in range(_TRIES):
        if not _is_turn(file, token):
            break
        if not (code := subprocess.run(command, check=False).returncode):
            file.unlink(missing_ok=True)
            break
        time.sleep(_BETWEEN_TRIES_S)  # who should do it may be starting anew
    return code


def _take_turn(file: Path, token: str) -> None:
    written = file.with_name(f"{file.name}.{token}")
    written.write_text(token)
    written.replace(file)


def _is_turn(file: Path, token: str) -> bool:
    try:
        return file.read_text() == token
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

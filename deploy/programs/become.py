"""A process of ours becomes a program that is not: it keeps its pid, so that whoever kills or pauses it reaches it."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NoReturn

from deploy.programs import guard
from deploy.programs.settings import ProgramSettings, load
from deploy.programs.site import Site

# All else in the environment, ours and the user's, is meant for others.
_INHERITED: Final = ("PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "TZ", "LANG", "LC_ALL")


@dataclass(frozen=True)
class Start:
    """How a program is to start: its arguments, configuration files (name → text) and environment."""

    arguments: Sequence[str]
    files: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)


Plan = Callable[[ProgramSettings, Site], Start]


def main(plan: Plan) -> NoReturn:
    """Writes what `plan` says into the data folder and becomes the program; ends with `EX_CANTCREAT` where it cannot."""
    settings = load()
    start = plan(settings, Site.read(settings.topology_file, settings.service_instance_id))
    try:
        settings.data_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, text in start.files.items():
            _write(settings.data_folder / name, text)
    except OSError as exc:
        print(f"its data cannot be kept: {exc.filename}: {exc.strerror}", file=sys.stderr)
        raise SystemExit(os.EX_CANTCREAT) from exc
    become([str(settings.program_file), *start.arguments], start.environment, settings)


def become(command: Sequence[str], environment: Mapping[str, str], settings: ProgramSettings) -> NoReturn:
    """Sets a guard over this process and replaces its program."""
    _set_guard(settings.lifeline_fd, settings.drain_timeout_s)
    os.set_inheritable(settings.lifeline_fd, False)
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    os.chdir(settings.data_folder)
    os.execve(command[0], list(command), {**inherited, **environment})  # noqa: S606 -- no shell is wanted


def _set_guard(lifeline_fd: int, drain_s: float) -> None:
    """Starts the guard as our child, and leaves the program a descriptor whose end tells the guard of the program's."""
    read_end, write_end = os.pipe()
    os.set_inheritable(write_end, True)
    subprocess.Popen(
        [sys.executable, "-I", "-S", guard.__file__, *map(str, (lifeline_fd, read_end, os.getpid(), drain_s))],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=(lifeline_fd, read_end),
    )
    os.close(read_end)


def _write(file: Path, text: str) -> None:
    """It may hold addresses with secrets, so nobody else reads it."""
    file.touch(mode=0o600)
    file.write_text(text, "utf-8")

"""Writing to the terminal."""

import os
import re
import sys
from collections.abc import Iterable
from typing import Any, Final

from rich.console import Console

from deploy.topology import FAULTLINE

_COLOURS: Final = ("cyan", "green", "magenta", "yellow", "blue", "bright_cyan", "bright_magenta", "bright_green")
# C0, DEL and C1; what else ends a line; what changes the direction of writing.
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def console() -> Console:
    """Standard output, without rich's guessing at what to colour; BrokenPipeError when nobody reads it any more."""
    return _Console(file=sys.stdout, highlight=False, emoji=False, markup=False)


class Screen:
    """Standard output for somebody who must go on when it is gone: a closed terminal (SIGHUP), a closed pipe."""

    def __init__(self) -> None:
        self._console = console()

    def line(self, *parts: Any, style: str = "") -> None:
        try:
            self._console.print(*parts, style=style, soft_wrap=True)
        except OSError:
            discard_output()


def discard_output() -> None:
    """From now on standard output goes nowhere, so that nothing fails on it, Python's own last flush included."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Rich would end the process here, whatever that leaves undone."""
        raise BrokenPipeError


def visible(text: object) -> str:
    r"""As text in which control characters are escapes (`\x1b`, `\n`): it forges no line and drives no terminal."""
    return _CONTROL.sub(lambda found: ascii(found[0])[1:-1], str(text))


def colours(services: Iterable[str]) -> dict[str, str]:
    """Service → colour; those that we know have theirs in every command, others what is left."""
    known = [process.name for process in reversed(FAULTLINE.processes) if not process.watches]
    ordered = dict.fromkeys([*known, *services])
    return {service: _COLOURS[number % len(_COLOURS)] for number, service in enumerate(ordered)}


def size(count: int | None) -> str:
    """`52 MiB`; empty for None."""
    return "" if count is None else f"{count / 2**20:.0f} MiB"


def duration(seconds: float | None) -> str:
    """`0.4 ms`, `12 ms`, `3.2 s`; empty for None."""
    if seconds is None:
        return ""
    if seconds < 0.01:
        return f"{seconds * 1000:.1f} ms"
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def span_of_time(seconds: float | None) -> str:
    """`12 s`, `3 min`, `2 h 5 min`, `3 d 4 h`; empty for None."""
    if seconds is None:
        return ""
    minutes, hours = int(seconds // 60), int(seconds // 3600)
    if minutes < 1:
        return f"{seconds:.0f} s"
    if hours < 1:
        return f"{minutes} min"
    return f"{hours} h {minutes % 60} min" if hours < 24 else f"{hours // 24} d {hours % 24} h"

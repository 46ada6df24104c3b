"""What the supervisor tells, as typed events: the log, the terminal and tests subscribe to them.

As text, an event is one sentence that begins with the culprit.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class Event:
    """Something happened; `level` is what it is worth in the log."""

    level: ClassVar[int] = logging.INFO


@dataclass(frozen=True)
class SystemStarting(Event):
    """The ports are chosen, the control API answers; now these are started."""

    instances: tuple[str, ...]

    def __str__(self) -> str:
        return f"{len(self.instances)} processes start: {', '.join(self.instances)}"


@dataclass(frozen=True)
class SystemReady(Event):
    """Every process was ready, `seconds` after the first was spawned."""

    seconds: float

    def __str__(self) -> str:
        return f"everything is ready after {self.seconds:.1f} s"


@dataclass(frozen=True)
class SystemStopping(Event):
    """All processes are ended now, the first of the chain first; `reason` such as `SIGINT`, empty after a failure."""

    reason: str

    def __str__(self) -> str:
        return f"everything is ended ({self.reason or 'it did not start'})"


@dataclass(frozen=True)
class SystemStopped(Event):
    """No process is left."""

    def __str__(self) -> str:
        return "no process is left"


@dataclass(frozen=True)
class ProcessEvent(Event):
    """Something happened to one process."""

    instance: str


@dataclass(frozen=True)
class Started(ProcessEvent):
    """It was spawned; it is not ready yet."""

    pid: int

    def __str__(self) -> str:
        return f"{self.instance} started as pid {self.pid}"


@dataclass(frozen=True)
class Ready(ProcessEvent):
    """It answers `/readyz` with 200, after `seconds` in which it did not; `again`: not for the first time."""

    seconds: float
    again: bool

    def __str__(self) -> str:
        return f"{self.instance} ready {'again after' if self.again else 'in'} {self.seconds:.1f} s"


@dataclass(frozen=True)
class Unready(ProcessEvent):
    """It was ready, and now says why it is not, or says nothing."""

    level = logging.WARNING
    reason: str

    def __str__(self) -> str:
        return f"{self.instance} is not ready any more: {self.reason}"


@dataclass(frozen=True)
class Exited(ProcessEvent):
    """It ended without having been told to stop; `how` such as `exit code 1`, `SIGKILL`. Restarted in `restart_in_s`."""

    level = logging.WARNING
    pid: int | None
    how: str
    restart_in_s: float

    def __str__(self) -> str:
        again = f"in {self.restart_in_s:.1f} s" if self.restart_in_s else "at once"
        return f"{self.instance} ended ({self.how}), starts again {again}"


@dataclass(frozen=True)
class Failed(ProcessEvent):
    """It ended and is not started again: `reason` is its own last line, or how it ended; `exit_code` is its own."""

    level = logging.ERROR
    reason: str
    exit_code: int

    def __str__(self) -> str:
        return f"{self.instance} is given up (exit code {self.exit_code}): {self.reason}"


@dataclass(frozen=True)
class Hung(ProcessEvent):
    """It was killed, as it never answered at all for `seconds`."""

    level = logging.WARNING
    seconds: float

    def __str__(self) -> str:
        return f"{self.instance} has not answered for {self.seconds:g} s, killed"


@dataclass(frozen=True)
class Paused(ProcessEvent):
    """It was stopped (SIGSTOP) and will be woken in `ttl_s`."""

    ttl_s: float

    def __str__(self) -> str:
        return f"{self.instance} paused for {self.ttl_s:g} s"


@dataclass(frozen=True)
class Resumed(ProcessEvent):
    """It runs again."""

    def __str__(self) -> str:
        return f"{self.instance} resumed"


@dataclass(frozen=True)
class Stopped(ProcessEvent):
    """It ended as it was told to, after `seconds`; `forced`: it had to be killed."""

    seconds: float
    forced: bool

    def __str__(self) -> str:
        return f"{self.instance} {'did not drain, killed' if self.forced else 'drained'} after {self.seconds:.1f} s"


Listener = Callable[[Event], None]

"""The errors of running the system, one tree, each with the exit code that the command ends with (sysexits.h).

DeployError                  70  the supervisor or the command went wrong
├── UsageError               64  what was asked for cannot be
├── NotFoundError            66  there is no such process, trace or file
├── StateError               73  the state folder cannot be used
├── NotRunningError          69  no supervisor runs for this state folder
├── AlreadyRunningError       0  one runs already, and where
├── MissingProgramError      69  a program that was asked for is not on this machine
├── PortsTakenError          69  ports are in use; names them and their owners
├── StartError                 - a process did not start; the code is the process's own where that says something
└── ControlError             69  the supervisor did not do what it was asked
    ├── SupervisorAwayError  69  it does not answer
    └── RefusedError         77  it does not accept the token

The text is one line for people: the culprit first, then what to do.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


class DeployError(Exception):
    """Root of what this package raises on purpose."""

    exit_code = os.EX_SOFTWARE


class UsageError(DeployError):
    """What was asked for cannot be; the text names the valid choices."""

    exit_code = os.EX_USAGE


class NotFoundError(DeployError):
    """There is no such process, trace or file."""

    exit_code = os.EX_NOINPUT


class StateError(DeployError):
    """The state folder, or a file in it, cannot be read or written."""

    exit_code = os.EX_CANTCREAT


class NotRunningError(DeployError):
    """No supervisor runs for this state folder."""

    exit_code = os.EX_UNAVAILABLE

    def __init__(self, state: Path, start: str = "faultline up") -> None:
        super().__init__(f"Faultline is not running (state folder {state}); start it with `{start}`")


class AlreadyRunningError(DeployError):
    """A supervisor has this state folder; where it listens, and its pid, as far as it has said so."""

    exit_code = os.EX_OK

    def __init__(self, state: Path, where: str, pid: int | None) -> None:
        at = f" at {where}" if where else ""
        by = f" (pid {pid})" if pid else ""
        super().__init__(f"Faultline already runs{at}{by}, state folder {state}; see `faultline status`")
        self.where, self.pid = where, pid


class MissingProgramError(DeployError):
    """Programs that must take part are not here; `built` is the folder that was looked into beside the PATH."""

    exit_code = os.EX_UNAVAILABLE

    def __init__(self, missing: Sequence[str], built: Path) -> None:
        verb = "is" if len(missing) == 1 else "are"
        super().__init__(
            f"{', '.join(missing)} {verb} required and neither on the PATH nor in {built}; `make backends` installs what "
            "it can"
        )
        self.missing = tuple(missing)


@dataclass(frozen=True)
class TakenPort:
    """A port somebody else has; `wanted_by` such as `gateway-1 HTTP_PORT`, `owner` empty where the system hides it."""

    port: int
    wanted_by: str
    owner: str


class PortsTakenError(DeployError):
    """Ports that were asked for are in use."""

    exit_code = os.EX_UNAVAILABLE

    def __init__(self, taken: Sequence[TakenPort]) -> None:
        first, *others = taken
        also = f"; also taken: {', '.join(map(_told_shortly, others))}" if others else ""
        super().__init__(f"{_told(first)}; end it, or use --free-ports{also}")
        self.taken = tuple(taken)


def _told(taken: TakenPort) -> str:
    owner = taken.owner or "a process that this system does not show"
    return f"port {taken.port} ({taken.wanted_by}) is taken by {owner}"


def _told_shortly(taken: TakenPort) -> str:
    return f"{taken.port} ({taken.owner.partition(' (')[0] or 'owner not shown'})"


class StartError(DeployError):
    """A process did not become ready; `instance` names it, `log` is its log file."""

    def __init__(self, instance: str, reason: str, log: Path, exit_code: int = os.EX_SOFTWARE) -> None:
        super().__init__(f"{instance} did not start: {reason}; its log: {log}")
        self.instance, self.reason, self.exit_code = instance, reason, exit_code


class ControlError(DeployError):
    """The control API answered with a problem; `status` is its HTTP status, 0 when there was no answer."""

    exit_code = os.EX_UNAVAILABLE

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class SupervisorAwayError(ControlError):
    """Nobody answers at the control API's address."""


class RefusedError(ControlError):
    """The control API does not accept the token."""

    exit_code = os.EX_NOPERM

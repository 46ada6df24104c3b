"""The errors of measuring and driving a running system, one tree.

MeasureError
├── NotRunningError    no system runs on this state folder
├── AwayError          an address does not answer, or not as it should
├── RefusedError       it answers, and refuses: names the status and the reason
└── DrivingError       the system was not driven as it was meant to be: a fault, a process, a policy
"""

from collections.abc import Iterator
from contextlib import contextmanager

from chaos.control import ControlError


class MeasureError(Exception):
    """Root of what this package raises on purpose. The text is one line, for people."""


class NotRunningError(MeasureError):
    """No system runs on this state folder."""


class AwayError(MeasureError):
    """Nobody answers at an address, or not in the way that was agreed."""


class RefusedError(MeasureError):
    """The answer is a refusal; `status` is its HTTP status."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class DrivingError(MeasureError):
    """What was asked of a control API was not done."""


@contextmanager
def driving() -> Iterator[None]:
    """Translates what control APIs raise. Raises DrivingError."""
    try:
        yield
    except ControlError as exc:
        raise DrivingError(str(exc)) from exc

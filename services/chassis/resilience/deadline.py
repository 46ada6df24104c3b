"""The deadline: one budget of time for a logical call and for everything done on its behalf.

It lives in a context variable, so that it follows the request through tasks, and travels between
processes as what remains (relative, so that clocks need not agree): `grpc-timeout`, or
`X-Request-Timeout-Ms` over HTTP. See the SRE book, "Addressing Cascading Failures", on deadline
propagation.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

from services.chassis.resilience.clock import MONOTONIC, Clock


class Deadline(NamedTuple):
    """A moment on `clock`, in seconds, after which the work is of no use to its caller."""

    expires_at: float
    clock: Clock = MONOTONIC

    @classmethod
    def after(cls, seconds: float, clock: Clock = MONOTONIC) -> "Deadline":
        return cls(clock() + seconds, clock)

    def remaining(self) -> float:
        """Seconds left, never below zero."""
        return max(0.0, self.expires_at - self.clock())

    def spent(self) -> bool:
        return self.expires_at <= self.clock()

    def never(self) -> bool:
        """Whether it is none: the work has for ever."""
        return math.isinf(self.expires_at)


NO_DEADLINE = Deadline(math.inf)

_current: ContextVar[Deadline] = ContextVar("deadline", default=NO_DEADLINE)


def current() -> Deadline:
    """The deadline of the work this task is doing."""
    return _current.get()


def cancelled_by_deadline() -> bool:
    """Whether a cancellation that arrives now is the deadline's, rather than a caller's that went away."""
    return current().remaining() <= _SAME_MOMENT


_SAME_MOMENT = 0.01  # seconds between two processes' ideas of when one deadline passes


class bound:  # noqa: N801  # read as what it does: `with bound(deadline):`
    """Runs the block under the deadline, or under the one in force if that is sooner. For one `with` only.

    A class, not a generator, as every call and every request passes one.
    """

    __slots__ = ("_deadline", "_token")

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline

    def __enter__(self) -> Deadline:
        sooner, now = self._deadline, _current.get()
        if now.expires_at < sooner.expires_at:
            sooner = now
        self._token = _current.set(sooner)
        return sooner

    def __exit__(self, *exception: object) -> None:
        _current.reset(self._token)


class all_but:  # noqa: N801  # read as what it does: `with all_but(0.1):`
    """Runs the block under the deadline in force less `reserve_s` seconds, where there are more. For one `with` only."""

    __slots__ = ("_reserve_s", "_token")

    def __init__(self, reserve_s: float) -> None:
        self._reserve_s = reserve_s

    def __enter__(self) -> None:
        now = _current.get()
        sooner = now.expires_at - self._reserve_s
        self._token = _current.set(Deadline(sooner, now.clock) if now.clock() < sooner < math.inf else now)

    def __exit__(self, *exception: object) -> None:
        _current.reset(self._token)


@contextmanager
def detached() -> Iterator[None]:
    """Runs the block under no deadline: for work that must outlive the request that began it."""
    token = _current.set(NO_DEADLINE)
    try:
        yield
    finally:
        _current.reset(token)

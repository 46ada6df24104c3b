"""Limits in time that share one timer of their event loop.

`asyncio.timeout` has a timer for each limit, which is made, sorted in and cancelled, although hardly any ever goes off:
that is most of what it costs. Here a limit is an entry in a dictionary, and the loop has one timer, set to the soonest.
It stays set when that limit is lifted, and then finds which is the soonest by now. So it rings in vain at most once for
each limit, and where all are of the same length about once in that length, however many calls there are meanwhile.
"""

import asyncio
import math
from types import TracebackType
from typing import Any, Self


class Limit:
    """Ends what its task does within the block when the time is over, by TimeoutError. For one `with` only.

    As `asyncio.timeout` does: the task is cancelled, and where nobody else has asked for that, the cancellation becomes
    the error as it leaves the block. Limits within each other, and cancellations from outside in the same moment, each
    stay what they are. `expired`: the time was over before the block was left, whatever that left by.
    """

    __slots__ = ("_alarm", "_cancelling", "_seconds", "_task", "expired", "when")

    _task: "asyncio.Task[Any]"
    _cancelling: int
    when: float
    """The moment on the loop's clock when the time is over."""

    def __init__(self, alarm: "Alarm", seconds: float) -> None:
        self._alarm, self._seconds = alarm, seconds
        self.expired = False

    def __enter__(self) -> Self:
        loop = self._alarm.loop
        task = asyncio.current_task(loop)
        if task is None:
            raise RuntimeError("only what a task does can be limited")
        self._task, self._cancelling = task, task.cancelling()
        self.when = loop.time() + self._seconds
        self._alarm.put(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if not self.expired:
            self._alarm.lift(self)
        elif self._task.uncancel() <= self._cancelling and isinstance(error, asyncio.CancelledError):
            raise TimeoutError from error

    def expire(self) -> None:
        """The time is over."""
        self.expired = True
        self._task.cancel()


class Alarm:
    """The limits in force on `loop`, and the timer that they share."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._limits: dict[Limit, None] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._rings_at = math.inf

    def put(self, limit: Limit) -> None:
        """Puts a limit in force."""
        self._limits[limit] = None
        if limit.when < self._rings_at:
            self._ring_at(limit.when)

    def lift(self, limit: Limit) -> None:
        """Takes back a limit that is in force."""
        del self._limits[limit]

    def _ring_at(self, when: float) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer, self._rings_at = self.loop.call_at(when, self._ring), when

    def _ring(self) -> None:
        # A loop may be early by the resolution of its clock.
        now = max(self.loop.time(), self._rings_at)
        self._timer, self._rings_at = None, math.inf
        for limit in [each for each in self._limits if each.when <= now]:
            self.lift(limit)
            limit.expire()
        if self._limits:
            self._ring_at(min(each.when for each in self._limits))

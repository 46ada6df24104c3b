"""Deadline and attempt timeout: two limits on the same wait, so that the sooner serves both.

Which of the two that is decides the error. It is the innermost policy.
"""

import asyncio
from typing import Any

from services.chassis.edge import Edge
from services.chassis.errors import AttemptTimeoutError, DeadlineExceededError, DeadlineSpentError
from services.chassis.resilience import deadline
from services.chassis.resilience.alarm import Alarm, Limit
from services.chassis.resilience.attempt import Attempt, Call
from services.chassis.resilience.clock import Clock
from services.chassis.resilience.deadline import NO_DEADLINE, Deadline


class Timeouts:
    """The limits in time of one edge's attempts, `seconds` each."""

    def __init__(self, edge: Edge, seconds: float, clock: Clock) -> None:
        self._edge, self._seconds, self._clock = edge, seconds, clock
        self._alarm: Alarm | None = None

    async def run(self, call: Call, number: int) -> Any:
        """Makes the attempt; raises AttemptTimeoutError or DeadlineExceededError when it takes too long.

        Raises DeadlineSpentError where it would have no time at all, as after a wait in a queue.
        """
        attempt, seconds = self._attempt(number)
        if seconds <= 0:
            raise DeadlineSpentError(self._edge, call.operation, "the deadline was spent before the attempt began")
        limit = self._limit(seconds)
        try:
            with limit:
                return await call.attempt(attempt)
        except TimeoutError as exc:
            if not limit.expired:
                raise  # not the limit's, but something's inside
            raise attempt.spent(self._edge, call.operation, f"no answer in {seconds:.3f} s") from exc

    def _attempt(self, number: int) -> tuple[Attempt, float]:
        """The attempt, and the seconds that it has."""
        budget = deadline.current()
        left = budget.expires_at - budget.clock()
        if left < self._seconds:
            return Attempt(number, budget, DeadlineExceededError), left
        own = Deadline(self._clock() + self._seconds, self._clock)
        return Attempt(number, own, AttemptTimeoutError), self._seconds

    def _limit(self, seconds: float) -> Limit:
        loop = asyncio.get_running_loop()
        if self._alarm is None or self._alarm.loop is not loop:
            self._alarm = Alarm(loop)
        return Limit(self._alarm, seconds)


async def unlimited(call: Call, number: int) -> Any:
    """Makes the attempt, however long it takes."""
    return await call.attempt(Attempt(number, NO_DEADLINE))

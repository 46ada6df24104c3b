"""One edge's policies, composed in their documented order around each attempt.

The order, outermost first: deadline → attempt timeout. Both are limits on the same wait, so one
timer serves them: it is set to the sooner, and which of the two that is decides the error.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from services.chassis.edge import Edge
from services.chassis.errors import AttemptTimeoutError, CallError, DeadlineExceededError, DeadlineSpentError
from services.chassis.resilience import deadline
from services.chassis.resilience.deadline import Deadline, cancelled_by_deadline
from services.chassis.resilience.events import AttemptEnded, Listener

T = TypeVar("T")


@dataclass(frozen=True)
class EdgePolicy:
    """What one edge's calls may take. `attempt_timeout` is in seconds, above zero."""

    attempt_timeout: float

    def __post_init__(self) -> None:
        if not self.attempt_timeout > 0:
            raise ValueError(f"attempt_timeout must be above 0 s, not {self.attempt_timeout}")


@dataclass(frozen=True)
class Attempt:
    """One attempt of a logical call: its number, from 1, and when it will be given up.

    `gives_up_with` tells whose limit that is. It is settled before the attempt begins: afterwards, with
    several clocks running out at the same moment (ours, the peer's, gRPC's), nobody could tell.
    """

    number: int
    limit: Deadline
    gives_up_with: type[CallError] = AttemptTimeoutError

    def cut_off(self) -> bool:
        """Whether a cancellation that arrives now is because of a limit, this attempt's or the whole work's."""
        return self.limit.spent() or cancelled_by_deadline()

    def spent(self, edge: Edge, operation: str, reason: str) -> CallError:
        """The error of an attempt whose limit has passed, by whichever clock."""
        return self.gives_up_with(edge, operation, reason, retry_after=1.0)


class Pipeline:
    """The policies of one edge. Shared by all its calls; holds no state of a single one."""

    def __init__(self, edge: Edge, policy: EdgePolicy, listener: Listener) -> None:
        self.edge, self.policy, self._tell = edge, policy, listener

    async def run(self, operation: str, attempt: Callable[[Attempt], Awaitable[T]]) -> T:
        """Performs `attempt` under the policies; raises what it raises, or a `CallError` of ours."""
        if deadline.current().spent():
            raise DeadlineSpentError(self.edge, operation, "the deadline was spent before the call began")
        try:
            result = await self._timed(operation, self._attempt(1), attempt)
        except BaseException as error:
            self._tell(AttemptEnded(operation, 1, error))
            raise
        self._tell(AttemptEnded(operation, 1, None))
        return result

    def _attempt(self, number: int) -> Attempt:
        budget, own = deadline.current(), Deadline.after(self.policy.attempt_timeout)
        if budget.expires_at < own.expires_at:
            return Attempt(number, budget, DeadlineExceededError)
        return Attempt(number, own, AttemptTimeoutError)

    async def _timed(self, operation: str, each: Attempt, attempt: Callable[[Attempt], Awaitable[T]]) -> T:
        seconds = each.limit.remaining()
        timer = asyncio.timeout(seconds)
        try:
            async with timer:
                return await attempt(each)
        except TimeoutError as exc:
            if not timer.expired():
                raise  # not the timer's, but something's inside
            raise each.spent(self.edge, operation, f"no answer in {seconds:.3f} s") from exc

"""Hedging: a read that takes longer than most is asked for a second time; the sooner answer counts.

See J. Dean and L. A. Barroso, "The Tail at Scale" (2013): the second request is sent once the first has taken longer than
the 95th percentile, which costs about five per cent more load. Here it takes from the same budget as retries and passes
the same breaker. A call is hedged or retried, never both (gRPC proposal A6): one that fails before its hedge was sent is
retried; once it was sent, nothing more is.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any

from services.chassis.errors import FaultlineError
from services.chassis.resilience.attempt import Call, Try
from services.chassis.resilience.clock import Surroundings
from services.chassis.resilience.events import BudgetAsked, HedgeEnded, HedgeResult, HedgeSent, Listener
from services.chassis.resilience.outcome import LOST_HEDGE, RETRYABLE, Classify, Outcome
from services.chassis.resilience.quantile import Quantile
from services.chassis.resilience.retry_budget import RetryBudget


@dataclass(frozen=True)
class HedgeConfig:
    """Which operations are hedged, and when.

    `operations` must be idempotent reads. The wait is the `percentile` (0 to 1) of the last `window` answers' seconds,
    once there are `minimum` of them, and never below `least_delay_s`.
    """

    operations: frozenset[str]
    percentile: float = 0.95
    window: int = 256
    minimum: int = 32
    least_delay_s: float = 0.005

    def __post_init__(self) -> None:
        if not self.operations:
            raise ValueError("operations must name at least one")
        if not 0.5 <= self.percentile < 1:
            raise ValueError(f"percentile must be 0.5 or more and below 1, not {self.percentile}")
        if not 1 <= self.minimum <= self.window <= 10_000:
            raise ValueError(
                f"minimum must be 1 or more, window that or more, up to 10000; not {self.minimum} and {self.window}"
            )
        if not self.least_delay_s > 0:
            raise ValueError(f"least_delay_s must be above 0 s, not {self.least_delay_s}")


class Hedge:
    """The hedges of one edge; `budget` is asked for each, None where there is no limit."""

    def __init__(
        self,
        config: HedgeConfig,
        budget: RetryBudget | None,
        surroundings: Surroundings,
        classify: Classify,
        listener: Listener,
    ) -> None:
        self.config, self._budget, self._surroundings = config, budget, surroundings
        self._classify, self._tell = classify, listener
        self._taken: defaultdict[str, Quantile] = defaultdict(
            lambda: Quantile(config.percentile, config.window, config.minimum)
        )

    def delay_s(self, operation: str) -> float | None:
        """How long a first attempt is given before its hedge; None while too little is known."""
        usual = self._taken[operation].value() if operation in self.config.operations else None
        return None if usual is None else max(self.config.least_delay_s, usual)

    async def run(self, call: Call, attempt: Try) -> Any:
        """Makes attempt 1 of `call`, and 2 if that takes long; raises as they do, marked where both failed."""
        if not call.idempotent or call.operation not in self.config.operations:
            return await attempt(call, 1)
        delay_s = self.delay_s(call.operation)
        if delay_s is None:
            return await self._timed(call, attempt)
        return await self._hedged(call, attempt, delay_s)

    async def _hedged(self, call: Call, attempt: Try, delay_s: float) -> Any:
        first, timer = _begun(self._timed(call, attempt)), _begun(self._surroundings.sleep(delay_s))
        running = [first, timer]
        try:
            await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            if first.done() or not self._granted(call):
                return await first
            self._tell(HedgeSent(call.operation, delay_s))
            running.append(_begun(attempt(call, 2)))
            return await self._sooner(call, first, running[-1])
        finally:
            for each in running:
                if not each.cancelling():
                    each.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def _sooner(self, call: Call, first: asyncio.Task[Any], second: asyncio.Task[Any]) -> Any:
        pending = {first, second}
        while pending:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for each, other in ((first, second), (second, first)):
                if each in done and self._usable(each):
                    other.cancel(LOST_HEDGE)
                    self._tell(HedgeEnded(call.operation, HedgeResult.LOST if each is first else HedgeResult.WON))
                    return each.result()
        self._tell(HedgeEnded(call.operation, HedgeResult.FAILED))
        return _failed(first)

    def _usable(self, ended: asyncio.Task[Any]) -> bool:
        """Whether it is an answer, be it a refusal. A rejection of ours is none: the other may still succeed."""
        if ended.cancelled():
            return False
        error = ended.exception()
        return error is None or self._classify(error) not in _NO_ANSWER

    def _granted(self, call: Call) -> bool:
        if self._budget is None:
            return True
        granted = self._budget.withdraw()
        self._tell(BudgetAsked(call.operation, granted, self._budget.balance()))
        return granted

    async def _timed(self, call: Call, attempt: Try) -> Any:
        """Attempt 1, whose time is noted: of an answer, or of one that was given up as another was sooner."""
        began = self._surroundings.clock()
        try:
            result = await attempt(call, 1)
        except asyncio.CancelledError as error:
            if LOST_HEDGE in error.args:
                self._taken[call.operation].add(self._surroundings.clock() - began)
            raise
        self._taken[call.operation].add(self._surroundings.clock() - began)
        return result


async def _awaited(awaitable: Awaitable[Any]) -> Any:
    return await awaitable


def _begun(awaitable: Awaitable[Any]) -> asyncio.Task[Any]:
    return asyncio.create_task(_awaited(awaitable))


def _failed(first: asyncio.Task[Any]) -> Any:
    """Raises as the first attempt did. That there were two is said as of retries: nobody else should."""
    error = first.exception()
    if isinstance(error, FaultlineError):
        error.retried = True
    return first.result()


_NO_ANSWER = {*RETRYABLE, Outcome.REJECTED, Outcome.CANCELLED}

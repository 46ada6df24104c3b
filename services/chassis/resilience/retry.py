"""Retry: a call that failed is made again, after a while, where that is safe and of use.

The wait is exponential, capped, with full jitter: see the AWS Architecture Blog, "Exponential Backoff And Jitter". A
peer may ask for a longer one, or for none to follow, by `Retry-After`, `RetryInfo` or `grpc-retry-pushback-ms` (gRPC
proposal A6). Only the caller next to the failure retries: who gives up marks the error, and who is told of an error with
that mark hands it on as it is; otherwise attempts would multiply with each link of a chain.
"""

from dataclasses import dataclass
from typing import Any

from services.chassis.errors import FaultlineError
from services.chassis.resilience import deadline
from services.chassis.resilience.attempt import Call, Try
from services.chassis.resilience.clock import Surroundings
from services.chassis.resilience.events import BudgetAsked, Listener, RetryScheduled, RetryStopped, Stopped
from services.chassis.resilience.outcome import RETRYABLE, Classify
from services.chassis.resilience.retry_budget import RetryBudget


@dataclass(frozen=True)
class RetryConfig:
    """At most `max_attempts`, the first included; waits up to `base_delay_s`, doubled each time up to `max_delay_s`."""

    max_attempts: int = 3
    base_delay_s: float = 0.025
    max_delay_s: float = 0.25

    def __post_init__(self) -> None:
        if not 2 <= self.max_attempts <= 10:
            raise ValueError(f"max_attempts must be 2 to 10, not {self.max_attempts}")
        if not 0 < self.base_delay_s <= self.max_delay_s <= 60:
            raise ValueError(
                f"delays must be above 0 s, the base no more than the greatest, and that no more than 60 s; "
                f"not {self.base_delay_s} and {self.max_delay_s}"
            )

    def longest_delay_s(self, number: int) -> float:
        """The most that attempt `number` + 1 may wait, after attempt `number`, from 1, has failed."""
        return min(self.max_delay_s, self.base_delay_s * 2.0 ** (number - 1))


class Retry:
    """The retries of one edge. `budget` is asked for each; None where there is no limit but the attempts'."""

    def __init__(
        self,
        config: RetryConfig,
        budget: RetryBudget | None,
        surroundings: Surroundings,
        classify: Classify,
        listener: Listener,
    ) -> None:
        self._config, self._budget, self._surroundings = config, budget, surroundings
        self._classify, self._tell = classify, listener

    async def run(self, call: Call, attempt: Try) -> Any:
        """Performs `call`, by one attempt or several; raises the last one's error, marked where it gave up."""
        number = 1
        while True:
            try:
                return await attempt(call, number)
            except FaultlineError as error:  # anything else is a defect, or a caller that went away
                delay = self._delay(call, number, error)
                if delay is None:
                    raise
            number += 1
            self._tell(RetryScheduled(call.operation, number, delay))
            await self._surroundings.sleep(delay)

    def _delay(self, call: Call, number: int, error: FaultlineError) -> float | None:
        """Seconds to wait before the next attempt, which is granted then; None where there is to be none."""
        if self._classify(error) not in RETRYABLE:
            return None
        delay = self._backoff(number, error)
        reason = self._unwise(call, number, error, delay) or self._over_budget(call)
        if reason is None:
            return delay
        self._tell(RetryStopped(call.operation, number, reason))
        if reason is not Stopped.UNSAFE:
            error.retried = True
        return None

    def _unwise(self, call: Call, number: int, error: FaultlineError, delay: float) -> Stopped | None:
        if error.retried:
            return Stopped.RETRIED
        if not call.idempotent and not error.took_no_effect:
            return Stopped.UNSAFE
        if number >= self._config.max_attempts:
            return Stopped.ATTEMPTS
        if error.pushback is not None and error.pushback < 0:
            return Stopped.PUSHBACK
        return Stopped.DEADLINE if delay >= deadline.current().remaining() else None

    def _over_budget(self, call: Call) -> Stopped | None:
        if self._budget is None:
            return None
        granted = self._budget.withdraw()
        self._tell(BudgetAsked(call.operation, granted, self._budget.balance()))
        return None if granted else Stopped.BUDGET

    def _backoff(self, number: int, error: FaultlineError) -> float:
        jittered = self._surroundings.random.uniform(0, self._config.longest_delay_s(number))
        return max(jittered, error.pushback or 0.0)

"""A breaker under test, with all that it is given and all that it told."""

from dataclasses import replace
from random import Random
from typing import Any

import pytest

from services.chassis.resilience.circuit_breaker import (
    CallNotPermitted,
    CircuitBreaker,
    CircuitBreakerConfig,
    Result,
)
from services.chassis.resilience.events import BreakerEvent, BreakerState, BreakerTransition
from tests.fakes.clock import FakeClock

CLOSED, OPEN, HALF_OPEN = BreakerState.CLOSED, BreakerState.OPEN, BreakerState.HALF_OPEN
FORCED_OPEN, DISABLED = BreakerState.FORCED_OPEN, BreakerState.DISABLED

CONFIG = CircuitBreakerConfig(
    window_size=4,
    minimum_calls=4,
    failure_rate_threshold=50,
    slow_call_rate_threshold=75,
    slow_call_duration_s=1.0,
    half_open_permitted_calls=2,
    open_wait_s=10.0,
    open_wait_max_s=40.0,
)


class Bench:
    """A breaker with all that it was given, and what it told."""

    def __init__(self, **changes: Any) -> None:
        self.clock, self.told = FakeClock(), list[BreakerEvent]()
        self.breaker = CircuitBreaker(replace(CONFIG, **changes), self.clock, self.told.append, Random(1))

    def calls(self, *outcomes: Result, times: int = 1, took: float = 0.1) -> None:
        for outcome in outcomes * times:
            self.breaker.acquire().record(outcome, took)

    def refused(self) -> CallNotPermitted:
        with pytest.raises(CallNotPermitted) as caught:
            self.breaker.acquire()
        return caught.value

    def opened(self) -> "Bench":
        while self.breaker.state is CLOSED:
            self.calls("failure")
        return self

    def half_opened(self) -> "Bench":
        self.opened().clock.advance(10.0)
        return self

    @property
    def transitions(self) -> list[tuple[BreakerState, BreakerState]]:
        return [(each.old, each.new) for each in self.told if isinstance(each, BreakerTransition)]

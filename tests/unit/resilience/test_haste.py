"""A call that its caller's deadline cut off says something about the peer only where the peer had a fair time."""

import asyncio

import pytest

from services.chassis.errors import AttemptTimeoutError, CallError, DeadlineExceededError
from services.chassis.resilience import deadline
from services.chassis.resilience.attempt import Attempt
from services.chassis.resilience.circuit_breaker import CircuitBreakerConfig
from services.chassis.resilience.deadline import Deadline
from services.chassis.resilience.pipeline import Pipeline
from services.chassis.resilience.policy import EdgePolicy
from tests.fakes.surroundings import FakeTime, surroundings
from tests.unit.resilience.failing import CLASSIFY, EDGE

SLOW_S = 2.0
POLICY = EdgePolicy(
    attempt_timeout=60.0,
    breaker=CircuitBreakerConfig(minimum_calls=1, window_size=1, slow_call_duration_s=SLOW_S),
)


class Cut:
    """A pipeline whose calls end after so many seconds with that error."""

    def __init__(self, error: BaseException) -> None:
        self._time, self._error = FakeTime(), error
        self._pipeline = Pipeline(EDGE, POLICY, lambda _: None, CLASSIFY, surroundings(self._time))

    async def after(self, seconds: float) -> None:
        async def attempt(_: Attempt) -> None:
            self._time.now += seconds
            raise self._error

        with (
            deadline.bound(Deadline.after(seconds, self._time)),
            pytest.raises((CallError, asyncio.CancelledError)),
        ):
            await self._pipeline.run("Authorize", attempt, idempotent=True)

    @property
    def state(self) -> str:
        found = self._pipeline.breaker()
        assert found
        return str(found.state)


@pytest.mark.parametrize(("seconds", "state"), [(0.005, "closed"), (0.9, "closed"), (1.0, "open"), (1.9, "open")])
@pytest.mark.parametrize(
    "error", [DeadlineExceededError(EDGE, "Authorize", "spent"), asyncio.CancelledError()], ids=repr
)
async def test_a_deadline_counts_from_half_of_what_is_slow(error: BaseException, seconds: float, state: str) -> None:
    cut = Cut(error)
    await cut.after(seconds)
    assert cut.state == state


async def test_a_thousand_customers_in_haste_open_nothing() -> None:
    cut = Cut(DeadlineExceededError(EDGE, "Authorize", "spent"))
    for _ in range(1000):
        await cut.after(0.005)
    assert cut.state == "closed"


async def test_an_attempts_own_limit_always_counts() -> None:
    cut = Cut(AttemptTimeoutError(EDGE, "Authorize", "no answer"))
    await cut.after(0.005)
    assert cut.state == "open"

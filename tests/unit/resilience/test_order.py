"""The documented order: fallback → deadline → hedge or retry (budget) → circuit breaker → bulkhead → attempt timeout."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from services.chassis.errors import (
    AttemptTimeoutError,
    BulkheadFullError,
    CallError,
    CircuitOpenError,
    DeadlineSpentError,
    FaultlineError,
    PeerFailedError,
    ProblemError,
)
from services.chassis.resilience import deadline
from services.chassis.resilience.attempt import Attempt
from services.chassis.resilience.bulkhead import BulkheadConfig, BulkheadLoad
from services.chassis.resilience.circuit_breaker import CircuitBreakerConfig
from services.chassis.resilience.deadline import Deadline
from services.chassis.resilience.events import (
    AttemptEnded,
    BreakerRejected,
    BreakerState,
    BreakerTransition,
    BudgetAsked,
    Event,
    FellBack,
    RetryScheduled,
)
from services.chassis.resilience.fallback import Degraded, FallbackConfig
from services.chassis.resilience.pipeline import Pipeline
from services.chassis.resilience.policy import EdgePolicy
from services.chassis.resilience.retry import RetryConfig
from services.chassis.resilience.retry_budget import RetryBudgetConfig
from tests.fakes.surroundings import FakeTime, surroundings
from tests.unit.resilience.failing import CLASSIFY, EDGE, Peer, refused

LONG = 60.0
OPENS_AT_ONCE = CircuitBreakerConfig(minimum_calls=1, window_size=1, open_wait_s=5.0)
FULL = EdgePolicy(
    attempt_timeout=LONG,
    retry=RetryConfig(base_delay_s=0.1, max_delay_s=0.1),
    budget=RetryBudgetConfig(ratio=1.0),
    breaker=OPENS_AT_ONCE,
    bulkhead=BulkheadConfig(1),
    fallback=FallbackConfig(),
)


class Piped:
    """A pipeline with time in the test's hands, and everything it told."""

    def __init__(self, policy: EdgePolicy) -> None:
        self.time, self.heard = FakeTime(), list[Event]()
        self.pipeline = Pipeline(EDGE, policy, self.heard.append, CLASSIFY, surroundings(self.time))

    async def run(self, peer: Peer) -> int:
        return await self.pipeline.run("Authorize", peer, idempotent=True)

    async def run_or(
        self, peer: Callable[[Attempt], Awaitable[int]], instead: str | None = "stale"
    ) -> int | Degraded[str]:
        def fallback(_: FaultlineError) -> Degraded[str] | None:
            return None if instead is None else Degraded(instead)

        return await self.pipeline.run_or("Authorize", peer, fallback, idempotent=True)


async def test_one_failing_call_passes_every_layer_in_its_order() -> None:
    piped, error = Piped(FULL), refused()
    loads = list[BulkheadLoad]()

    async def refuse(_: Attempt) -> int:
        loads.append(piped.pipeline.bulkhead_load())
        raise error

    assert await piped.run_or(refuse) == Degraded("stale")
    loads.append(piped.pipeline.bulkhead_load())
    rejected = piped.heard[-1]
    assert isinstance(rejected, FellBack)
    assert isinstance(rejected.error, CircuitOpenError)
    assert piped.heard[:-1] == [
        AttemptEnded("Authorize", 1, error),
        BreakerTransition(BreakerState.CLOSED, BreakerState.OPEN),  # the breaker has seen its end,
        BudgetAsked("Authorize", granted=True, balance=0.0),  # retry and its budget all three,
        RetryScheduled("Authorize", 2, 0.1),
        BreakerRejected(BreakerState.OPEN),  # so that another attempt has to pass the breaker again
    ]
    assert loads == [BulkheadLoad(1, 0), BulkheadLoad(0, 0)], "the bulkhead holds just the attempt"


async def test_a_spent_deadline_is_refused_before_everything_but_the_fallback() -> None:
    piped, peer = Piped(FULL), Peer()
    with deadline.bound(Deadline.after(0, piped.time)):
        assert await piped.run_or(peer) == Degraded("stale")
    (fell_back,) = piped.heard
    assert isinstance(fell_back, FellBack)
    assert isinstance(fell_back.error, DeadlineSpentError)
    assert peer.attempts == []


async def test_an_open_breaker_says_so_and_when_to_come_again() -> None:
    piped = Piped(replace(FULL, retry=None))
    with pytest.raises(CallError):
        await piped.run(Peer([refused()]))
    piped.time.advance(2.0)
    with pytest.raises(CircuitOpenError, match="orders → payments Authorize: the circuit breaker is open") as caught:
        await piped.run(Peer())
    assert (caught.value.state, caught.value.retry_after) == ("open", 3.0)
    assert caught.value.retried, "no caller further away is to retry it"


async def test_what_the_peer_retried_is_no_failure_of_the_peer() -> None:
    behind = PeerFailedError(EDGE, "Authorize", ProblemError("service-unavailable", extensions={"retried": "true"}))
    piped = Piped(FULL)
    for _ in range(5):
        with pytest.raises(PeerFailedError):
            await piped.run(Peer([behind]))
    assert await piped.run(Peer()) == 1


@pytest.mark.parametrize("error", [ProblemError("too-many-requests"), ProblemError("payment-declined")])
async def test_backpressure_and_refusals_open_no_breaker(error: FaultlineError) -> None:
    piped = Piped(replace(FULL, retry=None))
    with pytest.raises(ProblemError):
        await piped.run(Peer([error]))
    assert await piped.run(Peer()) == 1


async def test_who_finds_no_room_is_told_and_the_breaker_is_not() -> None:
    piped = Piped(FULL)
    release = asyncio.Event()

    async def hold(_: Attempt) -> None:
        await release.wait()

    held = asyncio.create_task(piped.pipeline.run("Authorize", hold))
    await asyncio.sleep(0)
    with pytest.raises(BulkheadFullError, match="1 calls in flight"):
        await piped.run(Peer())
    release.set()
    await held
    assert await piped.run(Peer()) == 1


async def test_waiting_for_room_takes_nothing_from_the_attempts_own_time() -> None:
    piped = Piped(EdgePolicy(attempt_timeout=0.05, bulkhead=BulkheadConfig(1, 1, 30.0)))
    release, limits = asyncio.Event(), list[float]()

    async def hold(_: Attempt) -> None:
        await release.wait()

    async def note(attempt: Attempt) -> None:
        limits.append(attempt.limit.remaining())

    held = asyncio.create_task(piped.pipeline.run("Authorize", hold))
    await asyncio.sleep(0)
    waiting = asyncio.create_task(piped.pipeline.run("Authorize", note))
    with pytest.raises(AttemptTimeoutError):
        await held
    await waiting
    assert limits == [pytest.approx(0.05)]


async def test_some_of_the_deadline_is_kept_for_the_fallback() -> None:
    piped = Piped(replace(FULL, fallback=FallbackConfig(reserve_s=0.5)))
    limits = list[float]()

    async def note(attempt: Attempt) -> None:
        limits.append(attempt.limit.remaining())

    with deadline.bound(Deadline.after(2.0, piped.time)):
        await piped.pipeline.run_or("Authorize", note, lambda _: None)
        await piped.pipeline.run("Authorize", note)
    assert limits == [1.5, 2.0]


async def test_a_fallback_that_has_nothing_leaves_the_error() -> None:
    piped = Piped(FULL)
    with pytest.raises(CircuitOpenError):
        await piped.run_or(Peer(always=refused), instead=None)
    last = piped.heard[-1]
    assert isinstance(last, FellBack)
    assert not last.served


async def test_a_refusal_is_an_answer_and_needs_no_fallback() -> None:
    piped = Piped(FULL)
    with pytest.raises(ProblemError):
        await piped.run_or(Peer([ProblemError("not-found")]))


async def test_fallbacks_that_are_not_in_force_are_not_asked() -> None:
    piped = Piped(replace(FULL, fallback=None))
    with pytest.raises(CallError):
        await piped.run_or(Peer(always=refused))
    assert not any(isinstance(event, FellBack) for event in piped.heard)


async def test_without_any_policy_nothing_limits_an_attempt_or_is_told_but_its_end() -> None:
    piped = Piped(EdgePolicy())
    timeouts = list[float | None]()

    async def note(attempt: Attempt) -> None:
        timeouts.append(attempt.timeout)

    with deadline.bound(Deadline.after(0, piped.time)):
        await piped.pipeline.run("Authorize", note)
    assert timeouts == [None]
    assert piped.heard == [AttemptEnded("Authorize", 1, None)]


async def test_what_stays_as_it_was_keeps_its_state_when_others_are_switched() -> None:
    piped = Piped(FULL)
    with pytest.raises(CallError):
        await piped.run(Peer(always=refused))
    piped.pipeline.switch(replace(FULL, retry=None))
    assert piped.pipeline.state()["breaker"]["state"] == "open"
    piped.pipeline.switch(replace(FULL, breaker=None))
    assert "breaker" not in piped.pipeline.state()
    assert await piped.run(Peer()) == 1
    piped.pipeline.switch(FULL)
    assert piped.pipeline.state()["breaker"]["state"] == "closed"


async def test_a_call_keeps_the_policies_that_it_began_with() -> None:
    piped = Piped(replace(FULL, breaker=None, bulkhead=None))

    async def switched(_: Attempt) -> None:
        piped.pipeline.switch(EdgePolicy())
        raise refused()

    with pytest.raises(CallError):
        await piped.pipeline.run("Authorize", switched, idempotent=True)
    ended = [event.number for event in piped.heard if isinstance(event, AttemptEnded)]
    assert ended == [1, 2]

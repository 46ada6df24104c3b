"""What policies do is told twice: in the call's span, and by metrics that exist from the start."""

import asyncio
from collections.abc import Sequence

import pytest
from opentelemetry.sdk.trace import ReadableSpan

from observability import semconv
from observability.semconv import Metric
from services.chassis.calls import CallSeam
from services.chassis.edge import Edge
from services.chassis.errors import CallError, PeerUnavailableError
from services.chassis.resilience.attempt import Attempt
from services.chassis.resilience.bulkhead import BulkheadConfig
from services.chassis.resilience.circuit_breaker import CircuitBreakerConfig
from services.chassis.resilience.events import BreakerState, HedgeResult, Stopped
from services.chassis.resilience.fallback import Degraded, FallbackConfig
from services.chassis.resilience.hedge import HedgeConfig
from services.chassis.resilience.outcome import Outcome
from services.chassis.resilience.policy import EdgePolicy
from services.chassis.resilience.retry import RetryConfig
from services.chassis.resilience.retry_budget import RetryBudgetConfig
from services.contracts.errors import CATALOGUE
from tests.fakes.surroundings import FakeTime, surroundings
from tests.unit.chassis.recording import Recording, attributes_of

EDGE = Edge("gateway", "inventory", "grpc")
READ = "GetProduct"
QUICK = RetryConfig(max_attempts=3, base_delay_s=0.01, max_delay_s=0.01)


def seam(recording: Recording, policy: EdgePolicy) -> CallSeam:
    made = CallSeam(EDGE, policy, recording.telemetry, CATALOGUE, surroundings=surroundings(FakeTime()))
    made.declare(READ)
    return made


async def refuse(_: Attempt) -> None:
    raise PeerUnavailableError(EDGE, READ, "refused")


async def fails(called: CallSeam) -> None:
    with pytest.raises(CallError):
        await called.call(READ, refuse, idempotent=True)


def events(recording: Recording) -> Sequence[tuple[str, dict[str, object]]]:
    """Of the last call's span."""
    span: ReadableSpan = [each for each in recording.spans if each.name == f"inventory {READ}"][-1]
    return [(event.name, dict(event.attributes or {})) for event in span.events]


async def test_everything_is_counted_from_zero(recording: Recording) -> None:
    seam(recording, EdgePolicy())
    expected: list[tuple[Metric, tuple[str, ...]]] = [
        *((semconv.RETRIES, ("inventory", READ, outcome)) for outcome in Outcome),
        *((semconv.RETRIES_STOPPED, ("inventory", reason)) for reason in Stopped),
        *((semconv.RETRY_BUDGET_WITHDRAWALS, ("inventory", result)) for result in ("granted", "refused")),
        (semconv.RETRY_BUDGET_BALANCE, ("inventory",)),
        *((semconv.BREAKER_TRANSITIONS, ("inventory", state)) for state in BreakerState),
        (semconv.BREAKER_REJECTIONS, ("inventory",)),
        (semconv.BULKHEAD_IN_FLIGHT, ("inventory",)),
        (semconv.BULKHEAD_QUEUED, ("inventory",)),
        (semconv.BULKHEAD_REJECTIONS, ("inventory",)),
        *((semconv.HEDGES, ("inventory", result)) for result in HedgeResult),
        *((semconv.FALLBACKS, ("inventory", READ, result)) for result in ("served", "missing")),
    ]
    for metric, labels in expected:
        assert recording.count(metric, *labels) == 0, (metric.name, labels)


async def test_retries_and_what_ends_them(recording: Recording) -> None:
    await fails(seam(recording, EdgePolicy(retry=QUICK)))
    assert events(recording) == [
        (semconv.EVENT_RETRY, {semconv.ATTEMPT: 2, semconv.DELAY_MS: 10.0}),
        (semconv.EVENT_RETRY, {semconv.ATTEMPT: 3, semconv.DELAY_MS: 10.0}),
        (semconv.EVENT_RETRY_STOPPED, {semconv.ATTEMPT: 3, semconv.RETRY_STOPPED_BY: "attempts"}),
    ]
    assert recording.count(semconv.RETRIES, "inventory", READ, Outcome.FAILURE) == 2
    assert recording.count(semconv.CALL_ATTEMPTS, "inventory", READ, Outcome.FAILURE) == 3
    assert recording.count(semconv.RETRIES_STOPPED, "inventory", "attempts") == 1


async def test_a_budget_that_is_spent(recording: Recording) -> None:
    await fails(seam(recording, EdgePolicy(retry=QUICK, budget=RetryBudgetConfig())))
    assert [name for name, _ in events(recording)] == [semconv.EVENT_BUDGET_EXHAUSTED, semconv.EVENT_RETRY_STOPPED]
    assert recording.count(semconv.RETRY_BUDGET_WITHDRAWALS, "inventory", "refused") == 1
    assert recording.count(semconv.RETRIES_STOPPED, "inventory", "budget") == 1


def states(recording: Recording) -> set[str]:
    """The states of which the gauge says that the breaker is in them."""
    return {state for state in BreakerState if recording.count(semconv.BREAKER_STATES, "inventory", state) == 1}


async def test_the_breakers_moves_and_rejections(recording: Recording) -> None:
    called = seam(recording, EdgePolicy(breaker=CircuitBreakerConfig(minimum_calls=1, window_size=1)))
    assert states(recording) == {"closed"}
    await fails(called)
    moved = {semconv.BREAKER_OLD_STATE: "closed", semconv.BREAKER_STATE: "open"}
    assert events(recording) == [(semconv.EVENT_BREAKER, moved)]
    assert states(recording) == {"open"}
    await fails(called)
    assert events(recording) == [(semconv.EVENT_BREAKER_REJECTED, {semconv.BREAKER_STATE: "open"})]
    assert recording.count(semconv.BREAKER_TRANSITIONS, "inventory", "open") == 1
    assert recording.count(semconv.BREAKER_REJECTIONS, "inventory") == 1
    assert recording.count(semconv.CALL_DURATION, "inventory", READ, Outcome.REJECTED) == 1
    assert recording.logged("circuit breaker moved")["new"] == "open"


async def test_a_breaker_that_is_not_in_force_is_shown_as_disabled(recording: Recording) -> None:
    called = seam(recording, EdgePolicy(attempt_timeout=60.0, breaker=CircuitBreakerConfig(minimum_calls=1)))
    called.use("timeouts")
    assert states(recording) == {"disabled"}
    called.use("full")
    assert states(recording) == {"closed"}


async def test_the_breakers_gauge_is_what_it_is_now_and_not_what_it_told_last(recording: Recording) -> None:
    time = FakeTime()
    config = CircuitBreakerConfig(minimum_calls=1, window_size=1, open_wait_s=1, half_open_max_wait_s=1)
    called = CallSeam(EDGE, EdgePolicy(breaker=config), recording.telemetry, CATALOGUE, surroundings=surroundings(time))
    await fails(called)
    time.advance(1)

    async def look_until_it_gives_up(_: Attempt) -> None:
        assert states(recording) == {"half_open"}
        time.advance(1)
        assert states(recording) == {"open"}

    await called.call(READ, look_until_it_gives_up, idempotent=True)
    assert states(recording) == {"open"}


async def test_calls_that_began_before_it_was_switched_off_move_it_unseen(recording: Recording) -> None:
    called = seam(recording, EdgePolicy(breaker=CircuitBreakerConfig(minimum_calls=1, window_size=1)))

    async def switch_off_and_refuse(attempt: Attempt) -> None:
        called.use("off")
        await refuse(attempt)

    with pytest.raises(CallError):
        await called.call(READ, switch_off_and_refuse, idempotent=True)
    assert states(recording) == {"disabled"}
    assert recording.count(semconv.BREAKER_TRANSITIONS, "inventory", "open") == 0


async def test_the_bulkheads_numbers_and_rejections(recording: Recording) -> None:
    called = seam(recording, EdgePolicy(bulkhead=BulkheadConfig(1)))
    begun, release = asyncio.Event(), asyncio.Event()

    async def hold(_: Attempt) -> None:
        begun.set()
        await release.wait()

    held = asyncio.create_task(called.call(READ, hold, idempotent=True))
    await begun.wait()
    assert recording.count(semconv.BULKHEAD_IN_FLIGHT, "inventory") == 1
    await fails(called)
    assert events(recording) == [(semconv.EVENT_BULKHEAD_REJECTED, {semconv.DELAY_MS: 0.0})]
    assert recording.count(semconv.BULKHEAD_REJECTIONS, "inventory") == 1
    release.set()
    await held
    assert recording.count(semconv.BULKHEAD_IN_FLIGHT, "inventory") == 0


async def test_hedges(recording: Recording) -> None:
    called = seam(recording, EdgePolicy(hedge=HedgeConfig(frozenset({READ}), minimum=1, window=1)))

    async def first_hangs(attempt: Attempt) -> int:
        if attempt.number == 1 and known:
            await asyncio.Event().wait()
        return attempt.number

    known = False
    assert await called.call(READ, first_hangs, idempotent=True) == 1
    known = True
    assert await called.call(READ, first_hangs, idempotent=True) == 2
    assert events(recording) == [
        (semconv.EVENT_HEDGE, {semconv.DELAY_MS: 5.0}),
        (semconv.EVENT_HEDGE_ENDED, {semconv.HEDGE_RESULT: "won"}),
    ]
    assert recording.count(semconv.HEDGES, "inventory", "won") == 1
    assert recording.count(semconv.CALL_ATTEMPTS, "inventory", READ, Outcome.CANCELLED) == 1


@pytest.mark.parametrize(("instead", "result"), [(Degraded("stale"), "served"), (None, "missing")])
async def test_a_fallback_is_an_outcome_of_its_own(
    recording: Recording, instead: Degraded[str] | None, result: str
) -> None:
    called = seam(recording, EdgePolicy(fallback=FallbackConfig()))
    answered = called.call_or(READ, refuse, lambda _: instead, idempotent=True)
    if instead:
        assert await answered is instead
    else:
        with pytest.raises(PeerUnavailableError):
            await answered
    assert events(recording) == [(semconv.EVENT_FALLBACK, {semconv.FALLBACK_RESULT: result})]
    assert recording.count(semconv.FALLBACKS, "inventory", READ, result) == 1
    outcome = Outcome.DEGRADED if instead else Outcome.FAILURE
    assert recording.count(semconv.CALL_DURATION, "inventory", READ, outcome) == 1
    assert attributes_of(recording.spans[-1])[semconv.OUTCOME] == outcome

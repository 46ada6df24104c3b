import asyncio

import pytest
from opentelemetry.trace import SpanKind, StatusCode

from observability import semconv
from services.chassis.calls import CallSeam
from services.chassis.edge import Edge
from services.chassis.errors import CallError, FaultlineError, PeerUnavailableError, ProblemError
from services.chassis.resilience import deadline
from services.chassis.resilience.deadline import Deadline
from services.chassis.resilience.outcome import Outcome
from services.chassis.resilience.pipeline import Attempt, EdgePolicy
from services.contracts.errors import CATALOGUE
from tests.fakes.clock import FakeClock
from tests.unit.chassis.recording import Recording, attributes_of

EDGE = Edge("orders", "payments", "grpc")


def seam(recording: Recording, attempt_timeout: float = 60.0) -> CallSeam:
    return CallSeam(EDGE, EdgePolicy(attempt_timeout), recording.telemetry, CATALOGUE)


def outcomes(recording: Recording, outcome: Outcome) -> tuple[int | None, int | None]:
    """Logical calls and attempts that ended so."""
    labels = ("payments", "Authorize", outcome)
    return recording.count(semconv.CALL_DURATION, *labels), recording.count(semconv.CALL_ATTEMPTS, *labels)


async def never(_: Attempt) -> None:
    await asyncio.Event().wait()


async def test_a_good_call(recording: Recording) -> None:
    async def answer(attempt: Attempt) -> int:
        return attempt.number

    assert await seam(recording).call("Authorize", answer, idempotent=True) == 1
    span = recording.named("payments Authorize")
    assert span.kind is SpanKind.INTERNAL
    assert span.status.status_code is StatusCode.UNSET
    assert attributes_of(span) == {
        "faultline.callee": "payments",
        "faultline.operation": "Authorize",
        "faultline.idempotent": True,
        "faultline.outcome": "success",
    }
    assert outcomes(recording, Outcome.SUCCESS) == (1, 1)


@pytest.mark.parametrize(
    ("error", "outcome", "status"),
    [
        (ProblemError("payment-declined"), Outcome.SUCCESS, StatusCode.UNSET),
        (ProblemError("too-many-requests"), Outcome.BACKPRESSURE, StatusCode.UNSET),
        (PeerUnavailableError(EDGE, "Authorize", "refused"), Outcome.FAILURE, StatusCode.ERROR),
    ],
)
async def test_what_the_attempt_raises(
    recording: Recording, error: FaultlineError, outcome: Outcome, status: StatusCode
) -> None:
    async def fail(_: Attempt) -> None:
        raise error

    with pytest.raises(type(error)):
        await seam(recording).call("Authorize", fail, idempotent=False)
    span = recording.named("payments Authorize")
    assert span.status.status_code is status
    assert attributes_of(span)["faultline.outcome"] == outcome
    assert attributes_of(span).get("error.type") == (type(error).__name__ if status is StatusCode.ERROR else None)
    assert outcomes(recording, outcome) == (1, 1)


async def test_an_attempt_timeout_is_the_peers_failure(recording: Recording) -> None:
    with pytest.raises(CallError):
        await seam(recording, attempt_timeout=0.01).call("Authorize", never, idempotent=True)
    span = recording.named("payments Authorize")
    assert span.status.status_code is StatusCode.ERROR
    assert [event.name for event in span.events] == [semconv.EVENT_ATTEMPT_TIMEOUT]
    assert outcomes(recording, Outcome.FAILURE) == (1, 1)


async def test_a_deadline_spent_in_flight_is_the_peers_failure(recording: Recording) -> None:
    with deadline.bound(Deadline.after(0.01, FakeClock())), pytest.raises(CallError):
        await seam(recording).call("Authorize", never, idempotent=True)
    assert [event.name for event in recording.named("payments Authorize").events] == [semconv.EVENT_DEADLINE_EXCEEDED]
    assert outcomes(recording, Outcome.FAILURE) == (1, 1)


async def test_so_is_a_cancellation_by_the_limit_around_the_request(recording: Recording) -> None:
    clock = FakeClock()

    async def spend_all(_: Attempt) -> None:
        clock.advance(30.0)
        limit.reschedule(asyncio.get_running_loop().time())
        await asyncio.Event().wait()

    with pytest.raises(TimeoutError), deadline.bound(Deadline.after(30.0, clock)):
        async with asyncio.timeout(None) as limit:
            await seam(recording).call("Authorize", spend_all, idempotent=True)
    assert recording.named("payments Authorize").status.status_code is StatusCode.ERROR
    assert outcomes(recording, Outcome.FAILURE) == (1, 1)


async def test_a_deadline_spent_before_is_our_own_rejection(recording: Recording) -> None:
    with deadline.bound(Deadline.after(0)), pytest.raises(CallError):
        await seam(recording).call("Authorize", never, idempotent=True)
    span = recording.named("payments Authorize")
    assert span.status.status_code is StatusCode.UNSET
    assert [event.name for event in span.events] == [semconv.EVENT_DEADLINE_REFUSED]
    assert outcomes(recording, Outcome.REJECTED) == (1, None), "nothing was sent: no attempt"


async def test_a_caller_that_went_away_says_nothing_about_the_peer(recording: Recording) -> None:
    begun = asyncio.Event()

    async def begin(_: Attempt) -> None:
        begun.set()
        await asyncio.Event().wait()

    call = asyncio.create_task(seam(recording).call("Authorize", begin, idempotent=True))
    await begun.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert recording.named("payments Authorize").status.status_code is StatusCode.UNSET
    assert outcomes(recording, Outcome.CANCELLED) == (1, 1)


def test_declared_operations_are_counted_from_zero(recording: Recording) -> None:
    seam(recording).declare("Authorize")
    for outcome in Outcome:
        assert recording.count(semconv.CALL_ATTEMPTS, "payments", "Authorize", outcome) == 0
        assert recording.count(semconv.CALL_DURATION, "payments", "Authorize", outcome) == 0

import asyncio
from types import MappingProxyType

import pytest

from services.chassis.edge import Edge
from services.chassis.errors import (
    AttemptTimeoutError,
    BulkheadFullError,
    CallRejectedError,
    CircuitOpenError,
    DeadlineExceededError,
    DeadlineSpentError,
    FaultlineError,
    MalformedAnswerError,
    PeerFailedError,
    PeerUnavailableError,
    ProblemError,
)
from services.chassis.resilience import deadline
from services.chassis.resilience.deadline import Deadline
from services.chassis.resilience.outcome import LOST_HEDGE, Outcome, of_error
from services.contracts.errors import CATALOGUE, ErrorEntry

EDGE = Edge("orders", "payments", "grpc")
WITH_SHEDDING = MappingProxyType({**CATALOGUE, "overloaded": ErrorEntry("overloaded", 503, "UNAVAILABLE", "", "")})

TABLE = [
    (ProblemError("payment-declined"), Outcome.SUCCESS),
    (ProblemError("not-found"), Outcome.SUCCESS),
    (ProblemError("request-timeout"), Outcome.SUCCESS),
    (ProblemError("too-many-requests"), Outcome.BACKPRESSURE),
    (ProblemError("overloaded"), Outcome.BACKPRESSURE),
    (ProblemError("internal"), Outcome.FAILURE),
    (ProblemError("service-unavailable"), Outcome.FAILURE),
    (ProblemError("deadline-exceeded"), Outcome.FAILURE),
    (ProblemError("not-in-the-catalogue"), Outcome.FAILURE),
    (PeerFailedError(EDGE, "Authorize", ProblemError("payment-provider-failed")), Outcome.FAILURE),
    (PeerFailedError(EDGE, "Authorize", ProblemError("overloaded")), Outcome.BACKPRESSURE),
    (PeerUnavailableError(EDGE, "Authorize", "refused"), Outcome.FAILURE),
    (MalformedAnswerError(EDGE, "Authorize", "not JSON"), Outcome.FAILURE),
    (AttemptTimeoutError(EDGE, "Authorize", "no answer in 1 s"), Outcome.FAILURE),
    (DeadlineExceededError(EDGE, "Authorize", "no answer in 1 s"), Outcome.FAILURE),
    (DeadlineSpentError(EDGE, "Authorize", "before it began"), Outcome.REJECTED),
    (CallRejectedError(EDGE, "Authorize", "open"), Outcome.REJECTED),
    (CircuitOpenError(EDGE, "Authorize", "open", retry_after=1.0), Outcome.REJECTED),
    (BulkheadFullError(EDGE, "Authorize", "full"), Outcome.REJECTED),
    (FaultlineError("of the caller's own, within a transaction"), Outcome.SUCCESS),
    (asyncio.CancelledError(), Outcome.CANCELLED),
    (ZeroDivisionError(), Outcome.FAILURE),
]


def name(value: object) -> str:
    return str(value) or type(value).__name__


@pytest.mark.parametrize(("error", "expected"), TABLE, ids=name)
def test_the_outcome_table(error: BaseException, expected: Outcome) -> None:
    assert of_error(error, WITH_SHEDDING) is expected


@pytest.mark.parametrize(("remaining", "expected"), [(0.0, Outcome.FAILURE), (60.0, Outcome.CANCELLED)])
def test_a_cancellation_at_the_deadline_is_the_deadlines(remaining: float, expected: Outcome) -> None:
    with deadline.bound(Deadline.after(remaining)):
        assert of_error(asyncio.CancelledError(), CATALOGUE) is expected


@pytest.mark.parametrize("remaining", [0.0, 60.0])
def test_a_hedge_that_lost_is_nothing_whenever_that_is(remaining: float) -> None:
    with deadline.bound(Deadline.after(remaining)):
        assert of_error(asyncio.CancelledError(LOST_HEDGE), CATALOGUE) is Outcome.CANCELLED


def test_the_catalogue_is_covered_by_status_alone_but_for_load_that_was_shed() -> None:
    for slug, entry in CATALOGUE.items():
        found = of_error(ProblemError(slug), CATALOGUE)
        assert found is not Outcome.CANCELLED
        assert (found is Outcome.FAILURE) == (entry.http_status >= 500 and slug != "overloaded")

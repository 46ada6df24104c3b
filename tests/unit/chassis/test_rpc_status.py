from typing import Any

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.edge import Edge
from services.chassis.errors import (
    AttemptTimeoutError,
    DeadlineExceededError,
    FaultlineError,
    FieldError,
    MalformedAnswerError,
    PeerFailedError,
    PeerUnavailableError,
    ProblemError,
)
from services.chassis.resilience.deadline import Deadline
from services.chassis.resilience.pipeline import Attempt
from services.chassis.rpc.status import from_rpc_error, to_status
from services.contracts.errors import CATALOGUE
from tests.unit.chassis.test_problems import content

EDGE = Edge("orders", "payments", "grpc")
ATTEMPT = Attempt(1, Deadline.after(60))
DETAILS = "grpc-status-details-bin"

# Over gRPC a wait has microseconds, and text is UTF-8.
text = st.text(st.characters(codec="utf-8"))
any_refusal = st.builds(
    ProblemError,
    st.sampled_from(sorted(slug for slug, entry in CATALOGUE.items() if entry.grpc_status != "DEADLINE_EXCEEDED")),
    text.filter(bool),
    errors=st.lists(st.builds(FieldError, text, text), max_size=5),
    retry_after=st.none() | st.integers(0, 10**12).map(lambda microseconds: microseconds / 10**6),
    extensions=st.dictionaries(text, text, max_size=3),
)


def error(code: grpc.StatusCode, details: str = "why", *trailers: tuple[str, Any]) -> grpc.aio.AioRpcError:
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata(*trailers), details)


def understood(failed: grpc.aio.AioRpcError, attempt: Attempt = ATTEMPT) -> FaultlineError:
    return from_rpc_error(failed, EDGE, "Authorize", CATALOGUE, attempt)


@given(any_refusal)
def test_what_is_written_can_be_read(problem: ProblemError) -> None:
    status = to_status(problem, CATALOGUE)
    read = understood(error(status.code, status.details, *status.trailing_metadata))
    inner = read.problem if isinstance(read, PeerFailedError) else read
    assert isinstance(inner, ProblemError)
    assert content(inner) == content(problem)
    assert isinstance(read, PeerFailedError) == (CATALOGUE[problem.slug].http_status >= 500)


@pytest.mark.parametrize("slug", sorted(CATALOGUE))
def test_every_slug_has_its_code(slug: str) -> None:
    assert to_status(ProblemError(slug), CATALOGUE).code.name == CATALOGUE[slug].grpc_status


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (grpc.StatusCode.UNAVAILABLE, PeerUnavailableError),
        (grpc.StatusCode.CANCELLED, PeerUnavailableError),
        (grpc.StatusCode.UNKNOWN, MalformedAnswerError),
        (grpc.StatusCode.UNIMPLEMENTED, MalformedAnswerError),
        (grpc.StatusCode.INTERNAL, MalformedAnswerError),
    ],
)
def test_a_status_without_a_problem(code: grpc.StatusCode, kind: type[FaultlineError]) -> None:
    found = understood(error(code))
    assert type(found) is kind
    assert str(found) == f"orders → payments Authorize: {code.name}: why"


@pytest.mark.parametrize("kind", [AttemptTimeoutError, DeadlineExceededError])
def test_a_spent_deadline_is_of_whichever_limit_was_set(
    kind: type[AttemptTimeoutError] | type[DeadlineExceededError],
) -> None:
    attempt = Attempt(1, Deadline.after(60), kind)
    assert type(understood(error(grpc.StatusCode.DEADLINE_EXCEEDED), attempt)) is kind


@pytest.mark.parametrize("trailer", [b"\xff\xff\xff", b"\x1a\x05\x0a\x03abc", b""])
def test_details_that_are_garbage_are_no_problem(trailer: bytes) -> None:
    assert type(understood(error(grpc.StatusCode.INTERNAL, "why", (DETAILS, trailer)))) is MalformedAnswerError


def test_an_unknown_slug_or_another_domain_is_no_problem() -> None:
    status = to_status(ProblemError("internal", "x"), CATALOGUE)
    shorter = {slug: entry for slug, entry in CATALOGUE.items() if slug != "internal"}
    failed = error(status.code, status.details, *status.trailing_metadata)
    assert type(from_rpc_error(failed, EDGE, "Authorize", shorter, ATTEMPT)) is MalformedAnswerError
    [(key, value)] = status.trailing_metadata
    assert isinstance(value, bytes)
    forged = value.replace(b"faultline", b"elsewhere")
    assert type(understood(error(status.code, "x", (key, forged)))) is MalformedAnswerError

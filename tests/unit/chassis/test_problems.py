import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.edge import Edge
from services.chassis.errors import FieldError, PeerFailedError, PeerUnavailableError, ProblemError
from services.chassis.http import problems
from services.contracts.errors import CATALOGUE
from tests.unit.chassis.recording import Recording, trace_of

EDGE = Edge("gateway", "orders", "rest")

any_problem = st.builds(
    ProblemError,
    st.sampled_from(sorted(CATALOGUE)),
    st.text(),
    errors=st.lists(st.builds(FieldError, st.text(), st.text()), max_size=5),
    retry_after=st.none() | st.floats(0, 1e6),
    extensions=st.dictionaries(st.sampled_from(["order_id", "product_id"]), st.text()),
)


def content(problem: ProblemError) -> tuple[Any, ...]:
    """All that a problem says."""
    return problem.slug, problem.detail, problem.errors, problem.retry_after, problem.extensions


@given(any_problem)
def test_what_is_written_can_be_read(problem: ProblemError) -> None:
    body = problems.response(problem, CATALOGUE, "/x").body
    read = problems.parse(json.loads(bytes(body)))
    assert read
    assert content(read) == content(problem)


def test_its_members(recording: Recording) -> None:
    problem = ProblemError(
        "out-of-stock", "2 left", errors=[FieldError("lines[0].quantity", "too many")], extensions={"order_id": "o-1"}
    )
    with recording.telemetry.tracer.start_as_current_span("request"):
        answer = problems.response(problem, CATALOGUE, "/api/v1/orders")
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert json.loads(bytes(answer.body)) == {
        "type": "/problems/out-of-stock",
        "title": CATALOGUE["out-of-stock"].title,
        "status": 409,
        "detail": "2 left",
        "instance": "/api/v1/orders",
        "trace_id": trace_of(recording.named("request")),
        "errors": [{"field": "lines[0].quantity", "message": "too many"}],
        "retry_after": None,
        "order_id": "o-1",
    }


@pytest.mark.parametrize(("seconds", "header"), [(None, None), (0.2, "1"), (2.0, "2"), (2.1, "3")])
def test_the_wait_is_a_header_in_whole_seconds(seconds: float | None, header: str | None) -> None:
    answer = problems.response(ProblemError("service-unavailable", retry_after=seconds), CATALOGUE, "/")
    assert answer.headers.get("retry-after") == header


def test_an_extension_cannot_feign_a_member() -> None:
    problem = ProblemError("internal", extensions={"status": "200", "type": "/problems/none"})
    document = problems.document(problem, CATALOGUE, "/")
    assert (document["status"], document["type"]) == (500, "/problems/internal")


def test_text_that_is_none_is_shown_as_a_question_mark() -> None:
    problem = ProblemError("validation-failed", errors=[FieldError("a\ud800b", "unknown")])
    assert json.loads(bytes(problems.response(problem, CATALOGUE, "/").body))["errors"][0]["field"] == "a?b"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"type": None},
        {"type": "about:blank"},
        {"type": "/problems/internal", "errors": 5},
        {"type": "/problems/internal", "errors": ["x"]},
        {"type": "/problems/internal", "errors": [{"field": "x"}]},
        {"type": "/problems/internal", "retry_after": "soon"},
        {"type": "/problems/internal", "retry_after": {}},
    ],
)
def test_what_is_no_problem_of_ours_is_none(body: dict[str, Any]) -> None:
    assert problems.parse(body) is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(["type", "detail", "errors", "retry_after", "x"]), json_values))
def test_no_answer_of_a_peer_breaks_the_reader(body: dict[str, Any]) -> None:
    problems.parse({"type": "/problems/internal"} | body)


@pytest.mark.parametrize(
    ("error", "slug", "retry_after"),
    [
        (ProblemError("not-found"), "not-found", None),
        (PeerUnavailableError(EDGE, "create_order", "refused"), "service-unavailable", 1.0),
        (PeerUnavailableError(EDGE, "create_order", "refused", retry_after=3.0), "service-unavailable", 3.0),
        (PeerFailedError(EDGE, "create_order", ProblemError("internal", "secret")), "internal", 1.0),
        (ZeroDivisionError("secret"), "internal", None),
    ],
)
def test_what_went_wrong_inside_becomes_an_answer_that_tells_nothing_of_it(
    error: Exception, slug: str, retry_after: float | None
) -> None:
    problem = problems.from_error(error)
    assert (problem.slug, problem.retry_after) == (slug, retry_after)
    assert "secret" not in str(problem)
    assert "refused" not in problem.detail


@pytest.mark.parametrize("seconds", [math.inf, math.nan])
def test_a_wait_that_is_no_number_is_no_problem_of_ours(seconds: float) -> None:
    assert problems.parse({"type": "/problems/internal", "retry_after": seconds}) is None

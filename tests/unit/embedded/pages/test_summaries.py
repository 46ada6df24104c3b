"""What a list tells of each trace."""

import pytest

from observability.embedded.pages.summaries import Summary, summaries
from observability.embedded.records import Trace
from tests.unit.embedded.spans import Made, Plain, records, trace_id


def summary(*spans: Made) -> Summary:
    (made,) = summaries([Trace(trace_id(1), tuple(records(*spans)))])
    return made


PARENT = b"\1" * 8
ROOT = Made(service="gateway", name="GET /", duration_ms=40, span_id=PARENT, tags={"http.response.status_code": 200})
RETRY = ("faultline.retry", {"faultline.attempt": 1})
FAULT = ("faultline.fault.injected", {"faultline.fault.kind": "latency"})


def test_a_trace_in_a_line() -> None:
    made = summary(
        ROOT, Made(service="orders", start_ms=1, parent=PARENT), Made(service="orders", start_ms=2, parent=PARENT)
    )
    assert (made.service, made.operation, made.status, made.duration_us) == ("gateway", "GET /", "200", 40_000)
    assert [(name, spans) for name, _, spans in made.services] == [("gateway", 1), ("orders", 2)]
    assert (made.trace_id, made.width, made.outcome) == (f"{1:016x}", "100.00", "fine")


def test_bars_are_in_proportion_to_the_longest() -> None:
    short, long = (Trace(trace_id(1), tuple(records(Made(duration_ms=each)))) for each in (10, 40))
    assert [each.width for each in summaries([short, long])] == ["25.00", "100.00"]


@pytest.mark.parametrize(
    ("inner", "retries"),
    [
        ({"events": [RETRY, RETRY]}, 2),
        ({"tags": {"http.request.resend_count": 1}}, 1),
        ({"events": [RETRY], "tags": {"http.request.resend_count": 1}}, 1),
        ({"events": [("said", {"faultline.retry": "http.request.resend_count"})]}, 0),
    ],
)
def test_retries_are_counted_once_however_they_are_told(inner: dict[str, object], retries: int) -> None:
    made = summary(ROOT, Made(parent=PARENT, **inner))  # type: ignore[arg-type]  # one of its fields or the other
    assert made.retries == retries
    assert made.outcome == ("retry" if retries else "fine")


def test_faults_are_named_once() -> None:
    other: tuple[str, dict[str, Plain]] = ("faultline.fault.injected", {})
    assert summary(ROOT, Made(parent=PARENT, events=[FAULT, FAULT, other])).faults == ["fault", "latency"]


def test_what_failed_inside_is_told_from_what_failed() -> None:
    inner = Made(parent=PARENT, failed=True)
    assert (summary(ROOT, inner).failed, summary(ROOT, inner).outcome) == (1, "retry")
    assert summary(Made(failed=True)).outcome == "bad"


def test_no_traces_no_lines() -> None:
    assert summaries([]) == []

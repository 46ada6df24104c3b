from observability.embedded.dependencies import Dependency, dependencies
from observability.embedded.records import SpanRecord, Trace
from tests.unit.embedded.spans import Made, new_span_id, records, trace_id


def trace(*spans: Made) -> Trace:
    found: tuple[SpanRecord, ...] = tuple(records(*spans))
    return Trace(trace_id(1), found)


def test_calls_are_counted_between_services_and_within_one() -> None:
    root, inner = new_span_id(), new_span_id()
    called = trace(
        Made(service="gateway", span_id=root),
        Made(service="gateway", parent=root, span_id=inner),
        Made(service="orders", parent=inner),
        Made(service="orders", parent=inner),
    )
    assert dependencies([called]) == [Dependency("gateway", "gateway", 1), Dependency("gateway", "orders", 2)]


def test_traces_add_up() -> None:
    root = new_span_id()
    one = trace(Made(service="a", span_id=root), Made(service="b", parent=root))
    assert dependencies([one, one]) == [Dependency("a", "b", 2)]


def test_an_orphan_is_called_by_nobody() -> None:
    assert dependencies([trace(Made(service="a", parent=new_span_id()))]) == []

"""Memory stays bounded whatever arrives."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from observability.embedded.records import SpanRecord
from observability.embedded.store import Bounds, MemoryTraceStore
from tests.unit.embedded.spans import Made, record, records

SPANS = st.builds(
    lambda trace, service, size: record(Made(trace=trace, service=service, tags={"padding": "x" * size})),
    st.integers(1, 8),
    st.sampled_from(["a", "b", "c"]),
    st.integers(0, 3000),
)
BOUNDS = st.builds(Bounds, st.integers(1, 12), st.integers(100, 12_000))


@settings(deadline=None)
@given(BOUNDS, st.lists(SPANS, max_size=60))
def test_neither_bound_is_ever_exceeded(bounds: Bounds, spans: list[SpanRecord]) -> None:
    store = MemoryTraceStore(bounds)
    taken = dropped = 0
    for span in spans:
        added = store.add([span])
        taken, dropped = taken + added.taken, dropped + added.dropped
        size = store.size()
        assert size.spans <= bounds.max_spans
        assert size.bytes <= bounds.max_bytes
        left = kept(store, spans)
        assert size.spans == taken - dropped == len(left)
        assert size.bytes == sum(each.size_bytes for each in left) + sum(o.size_bytes for o in {s.origin for s in left})


@settings(deadline=None)
@given(BOUNDS, st.lists(SPANS, max_size=60))
def test_indexes_know_exactly_what_is_kept(bounds: Bounds, spans: list[SpanRecord]) -> None:
    store = MemoryTraceStore(bounds)
    store.add(spans)
    left = kept(store, spans)
    assert store.services() == sorted({each.origin.service for each in left})
    for service in "abc":
        assert bool(store.operations(service)) is (service in store.services())


def kept(store: MemoryTraceStore, spans: list[SpanRecord]) -> list[SpanRecord]:
    traces = [store.get(each) for each in dict.fromkeys(span.trace_id for span in spans)]
    return [span for trace in traces if trace for span in trace.spans]


def test_a_span_that_is_larger_than_the_store_is_dropped() -> None:
    store = MemoryTraceStore(Bounds(10, 2_000))
    assert store.add(records(Made(tags={"padding": "x" * 5_000}))) == (1, 1)
    assert store.size() == (0, 0, 0)


def test_what_many_spans_share_is_counted_once_and_let_go() -> None:
    store = MemoryTraceStore(Bounds(10, 30_000))
    shared = {"padding": "x" * 20_000}
    first, second = records(Made(trace=1, resource=shared)), records(Made(trace=2, resource=shared))
    assert store.add([*first, *second]) == (2, 0)
    assert store.add(records(Made(trace=3, resource={"padding": "y" * 20_000}))) == (1, 2)
    assert store.size()[:2] == (1, 1)


@pytest.mark.parametrize(("spans", "size"), [(0, 1), (1, 0), (-1, 1)])
def test_bounds_are_above_zero(spans: int, size: int) -> None:
    with pytest.raises(ValueError, match="above 0"):
        Bounds(spans, size)

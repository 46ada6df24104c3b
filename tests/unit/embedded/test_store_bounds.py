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
        assert (taken - dropped, size.bytes) == (size.spans, sum(each.size_bytes for each in kept(store, spans)))


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


@pytest.mark.parametrize(("spans", "size"), [(0, 1), (1, 0), (-1, 1)])
def test_bounds_are_above_zero(spans: int, size: int) -> None:
    with pytest.raises(ValueError, match="above 0"):
        Bounds(spans, size)

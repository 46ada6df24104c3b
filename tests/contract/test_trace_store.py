"""What every trace store does, the real one and the fake."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from observability.embedded.ports import Size, TraceQuery, TraceStore
from observability.embedded.records import Trace
from observability.embedded.store import Bounds, MemoryTraceStore
from tests.contract.fake_trace_store import FakeTraceStore
from tests.unit.embedded.spans import MS, START_NS, Made, Plain, records, trace_id

NewStore = Callable[[int], TraceStore]


def in_memory(max_spans: int) -> TraceStore:
    return MemoryTraceStore(Bounds(max_spans, max_bytes=100_000_000))


@pytest.fixture(params=[in_memory, FakeTraceStore])
def new_store(request: pytest.FixtureRequest) -> NewStore:
    made: NewStore = request.param
    return made


def query(**conditions: Any) -> TraceQuery:
    return TraceQuery(**{"limit": 20, **conditions})


def numbers(traces: Any) -> list[int]:
    return [int.from_bytes(trace.trace_id, "big") for trace in traces]


def test_an_empty_store_knows_nothing(new_store: NewStore) -> None:
    store = new_store(10)
    assert (store.services(), store.operations("orders"), store.find(query()), store.get(trace_id(1))) == (
        [],
        [],
        [],
        None,
    )
    assert store.size() == Size(0, 0, 0)


def test_a_trace_is_all_its_spans_however_they_arrive(new_store: NewStore) -> None:
    store = new_store(10)
    first, second, third = records(Made(service="gateway"), Made(service="orders"), Made(trace=2))
    assert store.add([first, third]).taken == 2
    assert store.add([second]) == (1, 0)
    found = store.get(trace_id(1))
    assert found is not None
    assert set(found.spans) == {first, second}
    assert store.size()[:2] == (2, 3)


def test_services_and_operations_are_sorted_and_told_once(new_store: NewStore) -> None:
    store = new_store(10)
    store.add(
        records(Made(name="b", kind=3), Made(name="a"), Made(name="b", kind=2), Made(name="a"), Made(service="a"))
    )
    assert store.services() == ["a", "orders"]
    assert store.operations("orders") == [("a", 2), ("b", 2), ("b", 3)]


def test_found_are_the_newest_of_the_service(new_store: NewStore) -> None:
    store = new_store(10)
    store.add(records(*(Made(trace=each, service="a" if each % 2 else "b") for each in range(1, 7))))
    assert numbers(store.find(query(service="a"))) == [5, 3, 1]
    assert numbers(store.find(query(service="a", limit=2))) == [5, 3]
    assert numbers(store.find(query(limit=2))) == [6, 5]
    assert store.find(query(service="c")) == []


def test_one_span_must_fulfil_all_conditions(new_store: NewStore) -> None:
    store = new_store(10)
    store.add(records(Made(name="slow", duration_ms=9), Made(name="failed", failed=True)))
    assert numbers(store.find(query(operation="slow", min_duration_ns=9 * MS))) == [1]
    assert store.find(query(operation="slow", failed_only=True)) == []
    assert store.find(query(service="gateway", operation="slow")) == []


@pytest.mark.parametrize(
    ("conditions", "found"),
    [
        ({"min_duration_ns": 5 * MS}, True),
        ({"min_duration_ns": 5 * MS + 1}, False),
        ({"max_duration_ns": 5 * MS}, True),
        ({"max_duration_ns": 5 * MS - 1}, False),
        ({"start_min_ns": START_NS}, True),
        ({"start_min_ns": START_NS + 1}, False),
        ({"start_max_ns": START_NS}, True),
        ({"start_max_ns": START_NS - 1}, False),
        ({"failed_only": True}, True),
        ({"operation": "POST"}, False),
        ({"tags": {"text": "with a space"}}, True),
        ({"tags": {"text": "with"}}, False),
        ({"tags": {"number": "42"}}, True),
        ({"tags": {"ratio": "0.5"}}, True),
        ({"tags": {"flag": "true"}}, True),
        ({"tags": {"raw": "AAE="}}, True),
        ({"tags": {"empty": ""}}, True),
        ({"tags": {"": "no key"}}, True),
        ({"tags": {"missing": ""}}, False),
        ({"tags": {"text": "with a space", "number": "41"}}, False),
        ({"tags": {"host.name": "machine-1"}}, True),
        ({"tags": {"service.name": "orders"}}, True),
        ({"tags": {"sku": "tea-1"}}, True),
        ({"tags": {"event": "stock.reserved"}}, True),
        ({"tags": {"error": "true"}}, True),
        ({"tags": {"span.kind": "server"}}, True),
        ({"tags": {"span.kind": "client"}}, False),
        ({"tags": {"otel.status_code": "ERROR"}}, True),
        ({"tags": {"otel.status_description": "no stock"}}, True),
        ({"tags": {"otel.scope.name": "faultline"}}, True),
    ],
)
def test_conditions(new_store: NewStore, conditions: dict[str, Any], found: bool) -> None:
    store = new_store(10)
    tags: dict[str, Plain] = {
        "text": "with a space",
        "number": 42,
        "ratio": 0.5,
        "flag": True,
        "raw": b"\0\1",
        "empty": "",
        "": "no key",
    }
    event = ("stock.reserved", {"sku": "tea-1"})
    host = {"host.name": "machine-1"}
    store.add(records(Made(duration_ms=5, failed=True, message="no stock", tags=tags, resource=host, events=[event])))
    assert bool(store.find(query(**conditions))) is found
    assert bool(store.find(query(service="orders", **conditions))) is found


FAULT = {"faultline.fault.kind": "latency", "faultline.fault.id": "f-1", "faultline.experiment": "slow payments"}


@pytest.mark.parametrize(
    ("fault", "found"),
    [("", [1]), ("latency", [1]), ("f-1", [1]), ("slow payments", [1]), ("error", []), ("lat", [])],
)
def test_a_fault_may_be_at_another_span_of_the_trace(new_store: NewStore, fault: str, found: list[int]) -> None:
    store = new_store(10)
    store.add(
        records(
            Made(trace=1, service="gateway", failed=True),
            Made(trace=1, service="payments", events=[("faultline.fault.injected", FAULT)]),
            Made(trace=2, service="gateway", failed=True),
            Made(trace=3, service="gateway", failed=True, events=[("mentioned", {"x": "faultline.fault.injected"})]),
        )
    )
    assert numbers(store.find(query(service="gateway", failed_only=True, fault=fault))) == found


def test_the_longest_known_trace_goes_first_and_whole(new_store: NewStore) -> None:
    store = new_store(3)
    store.add(records(Made(trace=1, service="gone"), Made(trace=2), Made(trace=1, service="gone")))
    assert store.add(records(Made(trace=3))) == (1, 2)
    assert (store.get(trace_id(1)), store.services()) == (None, ["orders"])
    assert numbers(store.find(query())) == [3, 2]


def test_a_trace_that_grows_outlives_younger_ones(new_store: NewStore) -> None:
    store = new_store(3)
    store.add(records(Made(trace=1), Made(trace=2), Made(trace=3)))
    assert store.add(records(Made(trace=1))) == (1, 1)
    assert numbers(store.find(query())) == [3, 1]


def test_a_trace_larger_than_the_store_is_cut(new_store: NewStore) -> None:
    store = new_store(2)
    assert store.add(records(*[Made()] * 5)) == (5, 3)
    assert store.size()[:2] == (1, 2)
    assert store.add(records(Made(trace=2))) == (1, 2)


SPANS = st.builds(
    Made,
    trace=st.integers(1, 4),
    service=st.sampled_from(["a", "b"]),
    name=st.sampled_from(["x", "y"]),
    duration_ms=st.integers(0, 3),
    failed=st.booleans(),
    tags=st.dictionaries(st.sampled_from(["k", "l"]), st.sampled_from(["v", "v w", 7, True]), max_size=2),
    events=st.sampled_from([(), (), (("faultline.fault.injected", {"faultline.fault.kind": "latency"}),)]),
)
QUERIES = st.builds(
    TraceQuery,
    limit=st.integers(1, 4),
    service=st.sampled_from([None, "a", "b", "c"]),
    operation=st.sampled_from([None, "x", "z"]),
    failed_only=st.booleans(),
    fault=st.sampled_from([None, None, "", "latency"]),
    tags=st.dictionaries(st.sampled_from(["k", "l"]), st.sampled_from(["v", "v w", "7", "true"]), max_size=1),
    min_duration_ns=st.sampled_from([None, 2 * MS]),
    max_duration_ns=st.sampled_from([None, 1 * MS]),
)


@settings(deadline=None)
@given(st.integers(1, 6), st.lists(st.lists(SPANS, max_size=4), max_size=6), st.lists(QUERIES, max_size=4))
def test_the_real_store_answers_as_the_fake_does(
    max_spans: int, batches: list[list[Made]], queries: list[TraceQuery]
) -> None:
    real, fake = in_memory(max_spans), FakeTraceStore(max_spans)
    for batch in (records(*spans) for spans in batches):
        assert real.add(batch) == fake.add(batch)
    assert real.size() == fake.size()
    assert real.services() == fake.services()
    assert [real.operations(each) for each in "abc"] == [fake.operations(each) for each in "abc"]
    for each in queries:
        assert [as_set(trace) for trace in real.find(each)] == [as_set(trace) for trace in fake.find(each)]


def as_set(trace: Trace) -> tuple[bytes, frozenset[Any]]:
    return trace.trace_id, frozenset(trace.spans)

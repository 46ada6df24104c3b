import pytest
from starlette.datastructures import QueryParams

from observability.embedded.jaeger_params import MAX_LIMIT, BadParameterError
from observability.embedded.jaeger_params_v3 import trace_query

WINDOW = {"query.start_time_min": "2026-01-01T01:00:00Z", "query.start_time_max": "2026-01-01T02:30:00.5+01:00"}
START_NS = 1_767_229_200 * 10**9


def query(**given: str) -> QueryParams:
    return QueryParams({**WINDOW, **{f"query.{name}": value for name, value in given.items()}})


def test_times_are_nanoseconds() -> None:
    found = trace_query(query())
    assert (found.start_min_ns, found.start_max_ns) == (START_NS, START_NS + 30 * 60 * 10**9 + 500_000_000)


def test_everything_can_be_asked_for() -> None:
    found = trace_query(
        query(
            service_name="orders",
            operation_name="POST /v1/orders",
            attributes='{"user.id": "u-1"}',
            duration_min="200ms",
            duration_max="1.5s",
            num_traces="7",
        )
    )
    assert (found.service, found.operation, found.tags) == ("orders", "POST /v1/orders", {"user.id": "u-1"})
    assert (found.min_duration_ns, found.max_duration_ns, found.limit) == (200_000_000, 1_500_000_000, 7)


def test_no_answer_is_without_a_limit() -> None:
    assert trace_query(query(num_traces="999999999")).limit == MAX_LIMIT
    assert trace_query(query(search_depth="2")).limit == 2


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("start_time_min", "yesterday"),
        ("start_time_min", "2026-01-01"),
        ("start_time_min", "2026-13-01T00:00:00Z"),
        ("start_time_max", "2026-01-01T00:00:00"),
        ("start_time_max", ""),
        ("duration_min", "fast"),
        ("duration_max", "1d"),
        ("num_traces", "many"),
        ("num_traces", "0"),
        ("num_traces", str(2**70)),
        ("attributes", "{"),
        ("attributes", "[1]"),
        ("attributes", '{"a": 1}'),
    ],
)
def test_what_cannot_be_read_is_named(name: str, value: str) -> None:
    with pytest.raises(BadParameterError, match=name):
        trace_query(query(**{name: value}))

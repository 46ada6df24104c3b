"""Parameters of the query API: what is read, and what is said when it can't be."""

import contextlib
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.datastructures import QueryParams

from observability.embedded import jaeger_params as params
from observability.embedded.jaeger_params import BadParameterError
from observability.embedded.ports import TraceQuery


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [("0", 0), ("200ms", 200_000_000), ("1.5s", 1_500_000_000), ("1h2m3s", 3_723_000_000_000), ("7us", 7_000), ("7µs", 7_000), (".5ns", 0), ("-1s", -1_000_000_000)],
)  # fmt: skip
def test_durations(text: str, nanoseconds: int) -> None:
    assert params.duration_ns(text) == nanoseconds


@pytest.mark.parametrize("text", ["", "fast", "5", "5 s", "s", "1e3s", "1s1", "٣s", "9" * 50 + "s"])
def test_no_durations(text: str) -> None:
    with pytest.raises(BadParameterError, match="invalid duration"):
        params.duration_ns(text)


@pytest.mark.parametrize(("text", "number"), [("1", 1), ("AbC", 0xABC), ("f" * 32, 2**128 - 1), ("0" * 32, 0)])
def test_trace_ids(text: str, number: int) -> None:
    assert params.trace_id(text) == number.to_bytes(16, "big")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "invalid syntax"),
        ("nothex", 'strconv.ParseUint: parsing "nothex": invalid syntax'),
        ("0x1", "invalid syntax"),
        ("1\n", "invalid syntax"),
        ("a" * 33, f"TraceID cannot be longer than 32 hex characters: {'a' * 33}"),
        ("z" + "a" * 20, "invalid syntax"),
    ],
)
def test_no_trace_ids(text: str, said: str) -> None:
    with pytest.raises(BadParameterError) as refused:
        params.trace_id(text)
    assert said in str(refused.value)


def asked(text: str) -> TraceQuery:
    return params.trace_query(QueryParams(text))


def test_everything_at_once() -> None:
    query = asked(
        'service=a&operation=b&tags={"error":"true","k":"v"}&tag=x:y:z&minDuration=1ms&maxDuration=2ms&start=1&end=2&limit=7'
    )
    assert query == TraceQuery(
        service="a",
        operation="b",
        tags={"k": "v", "x": "y:z"},
        failed_only=True,
        min_duration_ns=1_000_000,
        max_duration_ns=2_000_000,
        start_min_ns=1_000,
        start_max_ns=2_000,
        limit=7,
    )


def test_defaults() -> None:
    query = asked("service=a&operation=&minDuration=0s")
    assert query.limit == 100
    assert query.operation is None
    assert query.min_duration_ns is None
    assert query.start_max_ns is not None
    assert query.start_min_ns is not None
    assert abs(query.start_max_ns - time.time_ns()) < 5_000_000_000
    assert query.start_max_ns - query.start_min_ns == 2 * 24 * 3600 * 10**9


@pytest.mark.parametrize(("text", "hours"), [("2h", 2), ("3d", 72), ("custom", 48)])
def test_the_time_looked_back(text: str, hours: int) -> None:
    assert asked(f"service=a&end=7200000000000&lookback={text}").start_min_ns == (7_200_000 - hours * 3600) * 10**9


def test_more_than_anybody_reads_is_cut() -> None:
    assert asked("service=a&limit=1000000").limit == params.MAX_LIMIT


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "parameter 'service' is required"),
        ("service=a&limit=x", 'strconv.ParseInt: parsing "x": invalid syntax'),
        ("service=a&limit=0", "at least 1"),
        ("service=a&limit=99999999999999999999", "value out of range"),
        ("service=a&start=x", "unable to parse param 'start': strconv.ParseInt"),
        ("service=a&minDuration=fast", "unable to parse param 'minDuration': time: invalid duration \"fast\""),
        ("service=a&minDuration=2s&maxDuration=1s", "'maxDuration' should be greater than 'minDuration'"),
        ("service=a&tags=nojson", "malformed 'tags' parameter, cannot unmarshal JSON"),
        ("service=a&tags=[]", "expecting an object of strings"),
        ('service=a&tags={"a":1}', "expecting an object of strings"),
        ("service=a&tags=" + "[" * 100_000, "malformed 'tags' parameter"),
        ("service=a&tag=nocolon", "expecting key:value"),
    ],
)
def test_what_can_not_be_read_is_named(text: str, said: str) -> None:
    with pytest.raises(BadParameterError) as refused:
        asked(text)
    assert said in str(refused.value)


NAMES = st.sampled_from(
    ["service", "operation", "tags", "tag", "minDuration", "maxDuration", "start", "end", "limit", "lookback"]
)


@settings(deadline=None)
@given(st.lists(st.tuples(NAMES, st.text(max_size=30)), max_size=8))
def test_any_text_is_a_query_or_refused(pairs: list[tuple[str, str]]) -> None:
    with contextlib.suppress(BadParameterError):
        assert params.trace_query(QueryParams(pairs)).limit >= 1

"""How spans become rows."""

import random
from collections import Counter
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from observability.embedded import display
from observability.embedded.page import render_self_contained
from observability.embedded.waterfall import Row, build
from tests.unit.embedded.jaeger import SERVER, JsonObject, call, retried_checkout, span, trace


def outline(found: JsonObject) -> list[str]:
    return ["  " * row.depth + row.operation for row in build(found).rows]


def test_children_follow_their_parent_by_start() -> None:
    root = span("root", 0, 100)
    late, early = span("late", 60, 10, parent=root), span("early", 10, 40, parent=root)
    leaf = span("leaf", 20, 5, parent=early)
    spans = [leaf, late, root, early]
    assert outline(trace(*spans)) == ["root", "  early", "    leaf", "  late"]
    waterfall = build(trace(*spans))
    assert [row.below for row in waterfall.rows] == [3, 1, 0, 0]
    assert [row.start_us for row in waterfall.rows] == [0, 10, 20, 60]
    assert (waterfall.start_us, waterfall.duration_us, waterfall.spans) == (1_000_000, 100, 4)


def test_a_call_knows_its_attempts_and_their_waits() -> None:
    waterfall = build(retried_checkout())
    authorize = next(row for row in waterfall.rows if row.attempts)
    assert [(a.number, a.error, a.waited_us) for a in authorize.attempts] == [
        (1, True, 0),
        (2, True, 50),
        (3, False, 100),
    ]
    assert authorize.retried
    assert [row.attempt for row in waterfall.rows] == [None, None, None, 1, 2, 3, None]
    assert (waterfall.errors, waterfall.retries) == (2, 2)
    assert waterfall.services == ("gateway", "orders", "payments")


def test_a_call_content_with_its_first_attempt_is_one_row() -> None:
    root = span("root", 0, 100)
    logical, attempt = call(root, [(10, 50, "")])
    served = span("served", 20, 30, SERVER, parent=attempt, service="payments")
    found = trace(root, logical, attempt, served)
    assert outline(found) == ["root", "  payments Authorize", "    served"]
    row = build(found).rows[1]
    assert (row.span_id, row.kind, row.attempts) == (logical["spanID"], "internal", ())
    assert row.folded is not None
    assert row.folded.span_id == attempt["spanID"]


def test_a_folded_call_fails_with_its_attempt() -> None:
    root = span("root", 0, 100)
    row = build(trace(root, *call(root, [(10, 50, "refused")]))).rows[1]
    assert (row.error, row.status_text) == (True, "refused")


def test_a_call_that_did_more_than_one_attempt_is_not_folded() -> None:
    root = span("root", 0, 100)
    logical, attempt = call(root, [(10, 50, "")])
    hedge = span("waited", 60, 5, parent=logical)
    assert len(build(trace(root, logical, attempt, hedge)).rows) == 4


def test_a_lone_second_attempt_is_not_folded() -> None:
    root = span("root", 0, 100)
    logical, _, second = call(root, [(10, 20, "lost"), (40, 20, "")])
    assert [row.attempt for row in build(trace(root, logical, second)).rows] == [None, None, 2]


def test_the_standard_count_of_resends_makes_attempts_too() -> None:
    tries = [span("GET", 0, 5, {"http.request.resend_count": count}) for count in ("0", "1", "x", "9" * 5_000)]
    assert [row.attempt for row in build(trace(*tries)).rows] == [1, 2, None, None]


def test_a_server_span_is_no_call() -> None:
    root = span("root", 0, 100, SERVER)
    attempt = span("GET", 0, 5, {"faultline.attempt": "1"}, parent=root)
    rows = build(trace(root, attempt)).rows
    assert (len(rows), rows[0].attempts) == (2, ())


@pytest.mark.parametrize(
    ("tags", "text"),
    [
        ({}, ""),
        ({"otel.status_description": "card declined", "error.type": "Declined"}, "card declined"),
        ({"error.type": "PeerUnavailableError"}, "PeerUnavailableError"),
        ({"http.response.status_code": 201}, "201"),
        ({"rpc.response.status_code": "UNAVAILABLE", "otel.status_description": "refused"}, "UNAVAILABLE · refused"),
    ],
)
def test_how_a_span_ended(tags: dict[str, Any], text: str) -> None:
    assert build(trace(span(tags=tags))).rows[0].status_text == text


def test_events_are_sorted_and_named() -> None:
    made = span(start=5)
    made["logs"] = [
        {"timestamp": 1_000_030, "fields": [{"key": "k", "type": "bool", "value": True}]},
        {"timestamp": 1_000_007, "fields": [{"key": "event", "type": "string", "value": "reserved"}]},
    ]
    events = build(trace(made)).rows[0].events
    assert [(each.name, each.at_us, each.fields) for each in events] == [
        ("reserved", 2, ()),
        ("event", 25, (("k", "true"),)),
    ]


def test_a_missing_parent_makes_a_root_that_says_so() -> None:
    root = span("root", 50, 10)
    child = span("child", 0, 5, parent=span("lost"))
    waterfall = build(trace(root, child))
    assert [(row.operation, row.depth, row.orphan) for row in waterfall.rows] == [
        ("child", 0, True),
        ("root", 0, False),
    ]
    assert waterfall.root.operation == "root"


def test_spans_in_a_circle_are_shown_once() -> None:
    first, second = span("first", 0), span("second", 1)
    first["references"] = [{"refType": "CHILD_OF", "traceID": "1f", "spanID": second["spanID"]}]
    second["references"] = [{"refType": "CHILD_OF", "traceID": "1f", "spanID": first["spanID"]}]
    own = span("own", 2)
    own["references"] = [{"refType": "CHILD_OF", "traceID": "1f", "spanID": own["spanID"]}]
    assert outline(trace(first, second, own)) == ["own", "first", "  second"]


def test_a_trace_deeper_than_pythons_stack() -> None:
    spans = [span("root")]
    for _ in range(3_000):
        spans.append(span("child", parent=spans[-1]))
    rows = build(trace(*spans)).rows
    assert (len(rows), rows[-1].depth, rows[0].below) == (3_001, 3_000, 3_000)


def test_a_trace_without_spans_is_none() -> None:
    with pytest.raises(ValueError, match="no spans"):
        build(trace())


PARENTS = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 50), st.sampled_from(["", "1", "2"])), min_size=1, max_size=12
)


@settings(deadline=None)
@given(PARENTS, st.randoms(use_true_random=False))
def test_every_span_is_in_exactly_one_row_or_folded(shapes: list[tuple[int, int, str]], chance: random.Random) -> None:
    spans: list[JsonObject] = []
    for parent, start, attempt in shapes:
        above = spans[parent] if parent < len(spans) else None
        spans.append(span("op", start, 5, {"faultline.attempt": attempt}, parent=above))
    chance.shuffle(spans)
    rows = build(trace(*spans)).rows
    shown = Counter(row.span_id for row in rows) + Counter(row.folded.span_id for row in rows if row.folded)
    assert shown == Counter(each["spanID"] for each in spans)
    assert all(later.depth <= earlier.depth + 1 for earlier, later in pairwise(rows))
    assert all(_is_subtree(rows[index + 1 : index + 1 + row.below], row) for index, row in enumerate(rows))


def _is_subtree(below: tuple[Row, ...], row: Row) -> bool:
    return all(each.depth > row.depth for each in below)


@pytest.mark.parametrize(
    ("us", "text"),
    [
        (0, "0 µs"),
        (999, "999 µs"),
        (1_000, "1 ms"),
        (9_996, "10 ms"),
        (12_345, "12.3 ms"),
        (999_400, "999 ms"),
        (999_600, "1 s"),
        (2_314_000, "2.31 s"),
        (59_900_000, "59.9 s"),
        (200_000_000, "3 min 20 s"),
        (18_120_000_000, "5 h 2 min"),
        (86_400_000_000 * 36_500, "36,500 days"),
    ],
)
def test_durations_have_three_digits(us: int, text: str) -> None:
    assert display.duration(us) == text


@settings(deadline=None)
@given(st.integers(0, 10**14))
def test_an_axis_has_few_round_ticks(duration: int) -> None:
    ticks = display.ticks(duration)
    assert ticks[0] == 0
    assert len(ticks) <= 6
    assert ticks[-1] <= max(duration, 1)
    assert duration < 5 or len(ticks) >= 2


def test_names_without_their_package() -> None:
    assert display.operation("faultline.payments.v1.Payments/Authorize") == "Payments/Authorize"
    assert display.operation("POST /api/v1.0/orders") == "POST /api/v1.0/orders"


def test_a_moment() -> None:
    assert display.moment(1_767_229_205_123_456) == "2026-01-01 01:00:05.123 UTC"


def resent(parent: dict[str, Any], start: int, count: int, *, failed: bool, name: str = "POST") -> dict[str, Any]:
    tags: dict[str, Any] = {"span.kind": "client", **({"http.request.resend_count": count} if count else {})}
    return span(name, start, 10, {**tags, **({"error": True} if failed else {})}, parent=parent)


def test_attempts_side_by_side_get_the_call_that_they_lack() -> None:
    root = span("POST /orders", 0, 100, SERVER)
    tries = [resent(root, 10, 0, failed=True), resent(root, 30, 1, failed=True), resent(root, 60, 2, failed=False)]
    made = build(trace(root, span("SELECT", 2, 5, parent=root), *tries, span("charge", 61, 5, parent=tries[2])))
    assert [(row.depth, row.operation, row.attempt, row.error) for row in made.rows] == [
        (0, "POST /orders", None, False),
        (1, "SELECT", None, False),
        (1, "POST", None, False),
        (2, "POST", 1, True),
        (2, "POST", 2, True),
        (2, "POST", 3, False),
        (3, "charge", None, False),
    ]
    call = made.rows[2]
    assert [(each.number, each.waited_us, each.error) for each in call.attempts] == [
        (1, 0, True), (2, 10, True), (3, 20, False),
    ]  # fmt: skip
    assert (call.start_us, call.duration_us, made.retries, made.spans) == (10, 60, 2, 6)
    assert call.warnings
    assert [row.made for row in made.rows] == [False, False, True, False, False, False, False]


def test_a_call_that_failed_to_the_last_has_failed() -> None:
    root = span("POST /orders", 0, 100, SERVER)
    made = build(trace(root, resent(root, 10, 0, failed=True), resent(root, 30, 1, failed=True)))
    assert made.rows[1].error


def test_calls_one_after_the_other_are_not_one() -> None:
    root = span("POST /orders", 0, 200, SERVER)
    tries = [resent(root, at, count, failed=False) for at, count in ((10, 0), (30, 1), (60, 0), (80, 1), (120, 0))]
    other = resent(root, 140, 1, failed=False, name="GET")
    made = build(trace(root, *tries, other))
    assert [(row.depth, row.attempt) for row in made.rows] == [
        (0, None), (1, None), (2, 1), (2, 2), (1, None), (2, 1), (2, 2), (1, None), (1, 2),
    ]  # fmt: skip


def test_what_is_said_of_a_span_that_is_odd_is_shown() -> None:
    made = span()
    made["warnings"] = ["Negative duration <detected>"]
    assert "Negative duration &lt;detected&gt;" in render_self_contained(trace(made))

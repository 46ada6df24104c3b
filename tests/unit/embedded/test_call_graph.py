"""Who calls whom, how often, and in which order they are drawn."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from observability.embedded import display
from observability.embedded.call_graph import Graph, call_graph, layers
from observability.embedded.pages import graph_drawing
from observability.embedded.records import Trace
from tests.unit.embedded.spans import Made, records, trace_id

A, B, C = (bytes([number]) * 8 for number in (1, 2, 3))


def graph(*spans: Made) -> Graph:
    return call_graph([Trace(trace_id(1), tuple(records(*spans)))])


def test_a_call_is_a_span_below_another_service_s() -> None:
    found = graph(
        Made(service="gateway", span_id=A, duration_ms=4_000),
        Made(service="gateway", parent=A, span_id=B),
        *(Made(service="orders", parent=B, duration_ms=each, failed=each == 1) for each in range(1, 21)),
    )
    (call,) = found.calls
    assert (call.caller, call.callee, call.count, call.failed) == ("gateway", "orders", 20, 1)
    assert (call.p50_us, call.p95_us, call.failed_share) == (11_000, 20_000, 0.05)
    assert (found.window_s, found.per_second(call), found.traces) == (4.0, 5.0, 1)


def test_what_keeps_no_spans_is_named_by_who_calls_it_once() -> None:
    found = graph(
        Made(service="orders", span_id=A),
        Made(service="orders", name="orders-db save", parent=A, span_id=B, tags={"faultline.callee": "orders-db"}),
        Made(service="orders", name="UPDATE", parent=B, tags={"db.system.name": "sqlite"}),
        Made(service="orders", name="SELECT", parent=A, tags={"db.system.name": "postgresql"}),
        Made(service="orders", name="PRAGMA", tags={"db.system.name": "sqlite"}),
    )
    assert [(each.callee, each.count) for each in found.calls] == [("orders-db", 1), ("postgresql", 1)]
    assert (found.services, found.others) == (("orders",), ("orders-db", "postgresql"))


def test_a_callee_that_has_spans_is_counted_by_these() -> None:
    tags = {"faultline.callee": "payments"}
    found = graph(
        Made(service="orders", span_id=A),
        Made(service="orders", parent=A, span_id=B, tags=tags),
        Made(service="orders", parent=B, span_id=C, tags=tags),
        Made(service="payments", parent=C),
    )
    assert [(each.caller, each.callee, each.count) for each in found.calls] == [("orders", "payments", 1)]


def test_nothing_is_an_empty_graph() -> None:
    empty = call_graph([])
    assert (empty.calls, layers(empty), graph_drawing.across(empty).boxes) == ((), [], [])


def test_callers_come_before_callees() -> None:
    found = graph(
        Made(service="gateway", span_id=A),
        Made(service="inventory", parent=A),
        Made(service="orders", parent=A, span_id=B),
        Made(service="inventory", parent=B),
        Made(service="orders", parent=B, tags={"faultline.callee": "orders-db"}),
    )
    assert layers(found) == [["gateway"], ["orders"], ["inventory", "orders-db"]]


def test_a_circle_is_drawn_all_the_same() -> None:
    found = graph(Made(service="a", span_id=A), Made(service="b", parent=A, span_id=B), Made(service="a", parent=B))
    assert sorted(name for layer in layers(found) for name in layer) == ["a", "b"]
    assert len(graph_drawing.downwards(found).arrows) == 2


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=12))
def test_every_box_lies_inside_and_has_a_place_of_its_own(calls: list[tuple[int, int]]) -> None:
    spans = []
    for number, (caller, callee) in enumerate(calls):
        own = bytes([number + 1]) * 8
        spans += [Made(service=f"s{caller}", span_id=own), Made(service=f"s{callee}", parent=own)]
    found = graph(*spans)
    for drawing in (graph_drawing.across(found), graph_drawing.downwards(found)):
        assert {box.name for box in drawing.boxes} == set(found.services)
        assert len({(box.x, box.y) for box in drawing.boxes}) == len(found.services)
        for box in drawing.boxes:
            assert box.width / 2 <= box.x <= drawing.width - box.width / 2
            assert box.height / 2 <= box.y <= drawing.height - box.height / 2


@pytest.mark.parametrize(("per_second", "text"), [(0.051, "0.05/s"), (4.23, "4.2/s"), (130.4, "130/s")])
def test_rates_have_two_digits(per_second: float, text: str) -> None:
    assert display.rate(per_second) == text


def test_long_names_are_cut_to_their_box() -> None:
    assert display.shortened("payments", 100) == "payments"
    assert display.shortened("a-very-long-name-of-a-service", 100).endswith("…")
    assert display.shortened("name", 1) == "n…"

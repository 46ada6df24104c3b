"""What everything waited for: filled without a gap, and only with what really came one after the other."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from observability.embedded.critical_path import critical_path, time_by_service
from observability.embedded.waterfall import build
from tests.unit.embedded.jaeger import call, span, trace


def path(*spans: dict[str, Any]) -> dict[str, list[tuple[int, int]]]:
    waterfall = build(trace(*spans))
    return {waterfall.rows[index].operation: [*found] for index, found in critical_path(waterfall).items()}


def test_one_span_is_all_of_it() -> None:
    assert path(span("root", 0, 100)) == {"root": [(0, 100)]}


def test_children_one_after_the_other_and_the_parent_between() -> None:
    root = span("root", 0, 100)
    found = path(root, span("first", 10, 20, parent=root), span("second", 40, 50, parent=root))
    assert found == {"root": [(0, 10), (30, 40), (90, 100)], "first": [(10, 30)], "second": [(40, 90)]}


def test_of_children_side_by_side_the_last_to_end() -> None:
    root = span("root", 0, 100)
    assert path(root, span("short", 10, 20, parent=root), span("long", 10, 80, parent=root)) == {
        "root": [(0, 10), (90, 100)],
        "long": [(10, 90)],
    }


def test_it_goes_all_the_way_down() -> None:
    root = span("root", 0, 100)
    child = span("child", 10, 80, parent=root)
    assert path(root, child, span("leaf", 20, 30, parent=child))["leaf"] == [(20, 50)]


def test_work_that_goes_on_after_its_parent_counts_until_then() -> None:
    root = span("root", 0, 50)
    assert path(root, span("late", 40, 60, parent=root)) == {"root": [(0, 40)], "late": [(40, 50)]}
    assert path(root, span("after", 60, 10, parent=root)) == {"root": [(0, 50)]}


def test_a_child_before_its_parent_does_not_lengthen_it() -> None:
    root = span("root", 20, 50)
    assert path(root, span("early", 0, 30, parent=root)) == {"root": [(30, 70)], "early": [(20, 30)]}


def test_the_wait_between_attempts_is_the_call_s() -> None:
    root = span("root", 0, 100)
    found = path(root, *call(root, [(10, 20, "refused"), (50, 30, "")]))
    assert (30, 50) in found["payments Authorize"]


def test_time_by_service() -> None:
    root = span("root", 0, 100, service="gateway")
    waterfall = build(
        trace(root, span("child", 10, 60, parent=root, service="orders"), span("x", 0, 5, service="none", parent=root))
    )
    assert time_by_service(waterfall, critical_path(waterfall)) == {"gateway": 35, "none": 5, "orders": 60}


SPANS = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 60), st.integers(0, 60)), max_size=9)


@settings(deadline=None)
@given(SPANS)
def test_it_fills_the_root_without_a_gap(placed: list[tuple[int, int, int]]) -> None:
    made = [span("0", 30, 50)]
    for number, (parent, start, duration) in enumerate(placed, 1):
        made.append(span(str(number), start, duration, parent=made[parent % len(made)]))
    sections = sorted(section for found in path(*made).values() for section in found)
    begun, root = min(each["startTime"] for each in made), made[0]["startTime"]
    ends = [root - begun, *(end for _, end in sections)]
    assert [begin for begin, _ in sections] == ends[:-1]
    assert ends[-1] == root - begun + 50

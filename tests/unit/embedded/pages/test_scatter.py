"""The drawing of durations over time: whole, linked, and readable whatever the range."""

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from observability.embedded.pages import scatter
from observability.embedded.pages.summaries import summaries
from observability.embedded.records import Trace
from tests.unit.embedded.spans import Made, record, trace_id

WIDTH, HEIGHT = 1200, 190
YEAR_MS = 365 * 86_400_000


def drawn(*spans: Made) -> ET.Element:
    traces = [Trace(trace_id(each.trace), (record(each),)) for each in spans]
    return ET.fromstring(scatter.draw(summaries(traces), WIDTH, HEIGHT))


def labels(picture: ET.Element) -> list[str]:
    return [(each.text or "").strip() for each in picture.iter("text")]


def test_each_dot_is_a_link_to_its_trace() -> None:
    picture = drawn(Made(trace=1), Made(trace=2, start_ms=500, failed=True, name="<b>"))
    links = {each.get("href"): each.get("class") for each in picture.iter("a")}
    assert links == {f"/trace/{1:016x}": "point fine", f"/trace/{2:016x}": "point bad"}
    assert "orders <b>: 1 ms" in [each.text for each in picture.iter("title")]


def test_later_is_right_and_longer_is_higher() -> None:
    early, late = drawn(Made(trace=1, duration_ms=1), Made(trace=2, start_ms=900, duration_ms=800)).iter("circle")
    assert float(early.get("cx", 0)) < float(late.get("cx", 0))
    assert float(early.get("cy", 0)) > float(late.get("cy", 0))


def test_failures_lie_in_front() -> None:
    picture = drawn(Made(trace=1, failed=True), Made(trace=2), Made(trace=3))
    assert [each.get("class") for each in picture.iter("a")][-1] == "point bad"


@pytest.mark.parametrize(
    ("later_ms", "label"),
    [
        (2_000, "01:00:01"),
        (600_000, "01:02"),
        (40 * 3_600_000, "12:00"),
        (30 * 86_400_000, "2026-01-08"),
        (470 * YEAR_MS, "2169-"),
    ],
)
def test_times_are_round(later_ms: float, label: str) -> None:
    shown = labels(drawn(Made(trace=1), Made(trace=2, start_ms=later_ms)))
    assert any(each.startswith(label) for each in shown), shown


def test_one_trace_is_no_picture() -> None:
    assert scatter.draw(summaries([Trace(trace_id(1), (record(Made()),))]), WIDTH, HEIGHT) == ""


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0, 480 * YEAR_MS), st.floats(0, 10**12)), min_size=2, max_size=6))
def test_everything_lies_inside(places: list[tuple[float, float]]) -> None:
    picture = drawn(*(Made(trace=n, start_ms=at, duration_ms=took) for n, (at, took) in enumerate(places, 1)))
    for dot in picture.iter("circle"):
        assert 0 <= float(dot.get("cx", -1)) <= WIDTH
        assert 0 <= float(dot.get("cy", -1)) <= HEIGHT
    assert 2 <= len(labels(picture)) <= 24

import re
import xml.etree.ElementTree as ET

import pytest

from chaos.report.page import render
from chaos.report.panels import nice
from tests.unit.experiments.making import alerted, arm, record

PAGE = render(record(arm("off", outcome="deviated", expected="deviates", goodput=5), arm("full", goodput=9)))


def test_the_page_needs_nothing_else() -> None:
    assert not re.findall(r"(?:src|href)=\"(?!data:|#)", PAGE)
    assert not re.findall(r"<script|@import|url\((?!data:)", PAGE)


def test_text_is_escaped() -> None:
    assert "Title &lt;b&gt;" in PAGE
    assert "<did>" not in PAGE


def test_every_drawing_is_well_formed_and_named() -> None:
    drawings = re.findall(r"<svg.*?</svg>", PAGE, re.DOTALL)
    assert len(drawings) == 10
    for each in drawings:
        assert ET.fromstring(each).get("aria-label")


def test_policies_stand_side_by_side_with_the_better_one_marked() -> None:
    assert re.search(r"<th scope=\"row\">Goodput.*?<td>5 req/s</td><td class=\"best\">9 req/s</td>", PAGE)


def test_an_arm_that_was_meant_to_deviate_is_told_as_such() -> None:
    assert "deviated, as expected" in PAGE


def test_the_verdict_comes_before_everything_else() -> None:
    order = [PAGE.index(each) for each in ("Passed", "Policies side by side", "Claims", "Over time", "Example traces")]
    assert order == sorted(order)


def test_a_run_that_was_interrupted_at_once_has_a_page_as_well() -> None:
    nothing = arm("full", outcome="interrupted")
    nothing["found"] = {"failure": "", "phases": {"notes": []}}
    assert "Nothing was measured" in render(record(nothing))


@pytest.mark.parametrize("firing_s", [None, 1.5])
def test_when_the_alert_was_told_of_is_drawn_and_by_whom_is_said(firing_s: float | None) -> None:
    page = render(record(alerted(arm("full"), "embedded", firing_s)))
    (drawing,) = re.findall(r"<svg[^>]*aria-label=\"Alert Burning \(page\)\".*?</svg>", page, re.DOTALL)
    assert ('fill="var(--bad)"' in drawing) == (firing_s is not None)
    assert "faultline-alerts evaluates and tells by itself" in page
    assert "Alert Burning" not in PAGE


@pytest.mark.parametrize(("value", "end"), [(0.3, 0.3), (1, 1), (1.2, 2), (7, 8), (9, 10), (31, 40), (480, 600)])
def test_axes_end_at_round_values(value: float, end: float) -> None:
    assert nice(value) == pytest.approx(end)

"""Durations over time as a scatter plot: each dot a trace, and a link to it. The duration's axis is logarithmic."""

import math
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

import leather
from leather.shapes.base import Shape

from observability.embedded import charts, display
from observability.embedded.pages.summaries import Summary

_DAY_S: Final = 86_400
_STEPS_S: Final = (
    *(1, 2, 5, 10, 15, 30),
    *(60 * each for each in (1, 2, 5, 10, 15, 30)),
    *(3_600 * each for each in (1, 2, 3, 6, 12)),
    *(_DAY_S * each for each in (1, 2, 7, 30, 365, 3_650)),
)
_MOST_TICKS_Y: Final = 5
_SHORTEST_US: Final = 1
_ROOM: Final = 0.06  # of the range, on each side
_PX_PER_TICK: Final = 90
_RADIUS: Final = {"fine": "3.6", "retry": "4.4", "bad": "4.8"}
_LABEL: Final = 7  # characters


def draw(found: Sequence[Summary], width: int, height: int) -> str:
    """An `<svg>`; empty where there are too few traces for a picture."""
    if len(found) < 2:
        return ""
    charts.use_page_style()
    chart = leather.Chart()
    at_s = [each.start_us / 1e6 for each in found]
    took = [_height(each) for each in found]
    chart.set_x_scale(_with_room(at_s, least=1.0))
    chart.set_y_scale(_with_room(took, least=0.5))
    moments, durations = _moments(min(at_s), max(at_s), width // _PX_PER_TICK), _durations(min(took), max(took))
    chart.add_x_axis(ticks=moments, tick_formatter=lambda value, *_: _clock(float(value), moments))
    chart.add_y_axis(
        ticks=durations, tick_formatter=lambda value, *_: display.duration(10 ** float(value)).rjust(_LABEL)
    )
    chart.add_series(leather.Series([*zip(at_s, took, strict=True)]), _Dots(found))
    return charts.svg(chart, width, height, f"Duration over time of {len(found)} traces, which the list below has too")


def _height(each: Summary) -> float:
    return math.log10(max(_SHORTEST_US, each.duration_us))


def _with_room(values: Sequence[float], least: float) -> charts.ExactScale:
    room = max(_ROOM * (max(values) - min(values)), least / 2)
    return charts.ExactScale(min(values) - room, max(values) + room)


def _durations(low: float, high: float) -> list[float]:
    """Round durations between two logarithms: powers of ten, and between them where these are few."""
    for factors in ((1, 2, 5), (1, 3), (1,)):
        ticks = [
            power + math.log10(factor)
            for power in range(math.floor(low) - 1, math.ceil(high) + 1)
            for factor in factors
        ]
        inside = [each for each in ticks if low - 0.25 <= each <= high + 0.25]
        if len(inside) <= _MOST_TICKS_Y:
            break
    return inside or [low]


def _moments(low: float, high: float, at_most: int) -> list[float]:
    """Round times of day."""
    step = next((each for each in _STEPS_S if (high - low) / each <= at_most), 36_500 * _DAY_S)
    first = math.ceil(low / step)
    return [float(each * step) for each in range(first, math.floor(high / step) + 1)] or [low]


def _clock(at_s: float, ticks: Sequence[float]) -> str:
    step = ticks[1] - ticks[0] if len(ticks) > 1 else 1
    form = "%Y-%m-%d" if step >= _DAY_S else "%H:%M" if step >= 60 else "%H:%M:%S"
    return datetime.fromtimestamp(math.floor(at_s), UTC).strftime(form)


class _Dots(Shape):  # type: ignore[misc]  # leather brings no types
    """A linked dot for each trace, those that failed in front."""

    def __init__(self, found: Sequence[Summary]) -> None:
        self._found = found

    def validate_series(self, _: Any) -> None:
        """Made of the same traces."""

    def to_svg(self, width: Any, height: Any, x_scale: Any, y_scale: Any, *_: Any) -> ET.Element:
        group = ET.Element("g")
        for each in sorted(self._found, key=lambda summary: ("fine", "retry", "bad").index(summary.outcome)):
            # The list has the same links; nobody should have to pass them twice with the keyboard.
            link = ET.SubElement(group, "a", {"href": f"/trace/{each.trace_id}", "tabindex": "-1"})
            link.set("class", f"point {each.outcome}")
            ET.SubElement(link, "title").text = _told(each)
            x, y = x_scale.project(each.start_us / 1e6, 0, width), y_scale.project(_height(each), height, 0)
            ET.SubElement(link, "circle", cx=f"{x:g}", cy=f"{y:g}", r=_RADIUS[each.outcome])
        return group


def _told(each: Summary) -> str:
    return f"{each.service} {display.operation(each.operation)}: {display.duration(each.duration_us)}"

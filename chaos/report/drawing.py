"""Draws a panel as SVG text: lines, areas, lanes, and the fault's window behind them, over a time axis.

Axes and layout are leather's; colours are CSS variables of the page, so that a drawing follows it into the dark.
leather keeps its style in module variables, set here once, when the first panel is drawn.
"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import leather
from leather import theme
from leather.scales import Linear
from leather.shapes.base import Shape

from chaos.report.panels import Lane, Line, Panel

WIDTH: Final = 440
HEIGHT: Final = 136
_LANE_PX: Final = 22
_LABEL: Final = 5  # characters: so that the time axes of all panels begin below each other
_AXIS_PX: Final = 34
_LONG_NUMBER: Final = re.compile(r"\d+\.\d{2,}")

_THEME: Final = {
    "background_color": "none",
    "margin": 0.012,
    "title_font_char_height": 0,
    "legend_font_char_height": 0,
    "legend_gap": 0,
    "tick_color": "var(--grid)",
    "zero_color": "var(--axis)",
    "label_color": "var(--muted)",
    "tick_font_family": "inherit",
    "tick_font_size": 11,
    "tick_font_char_height": 11,
    "tick_font_char_width": 6.6,
    "tick_size": 3,
}


def draw(panel: Panel) -> str:
    """An `<svg>` that scales with its column; what it shows is its accessible name."""
    for name, value in _THEME.items():
        setattr(theme, name, value)
    chart = leather.Chart()
    chart.set_x_scale(_Exact(*panel.x))
    chart.set_y_scale(_Exact(0, panel.top))
    chart.add_x_axis(ticks=list(panel.x_ticks), tick_formatter=_said(lambda value: f"{value:g} s"))
    chart.add_y_axis(ticks=list(panel.y_ticks), tick_formatter=_said(panel.said, _LABEL))
    for points, shape in _layers(panel):
        chart.add_series(leather.Series(points), shape)
    height = len(panel.lanes) * _LANE_PX + _AXIS_PX if panel.lanes else HEIGHT
    root = ET.Element("svg", viewBox=f"0 0 {WIDTH} {height}", role="img", width="100%")
    root.set("aria-label", panel.title)
    root.append(chart.to_svg_group(WIDTH, height))
    text = ET.tostring(root, encoding="unicode")
    return _LONG_NUMBER.sub(lambda found: f"{float(found[0]):.1f}", text)


Points = list[tuple[float, float]]


def _layers(panel: Panel) -> Iterator[tuple[Points, Shape]]:
    """From the back to the front."""
    edges: Points = [(panel.x[0], 0.0), (panel.x[1], panel.top)]
    yield edges, _Window(panel)
    for line in panel.lines:
        if points := [(x, y) for x, y in line.points if y is not None]:
            yield points, _Curve(line)
    for row, lane in enumerate(panel.lanes):
        yield edges, _Lane(lane, row, len(panel.lanes))


def _said(say: Callable[[float], str], width: int = 0) -> Callable[[Any, int, int], str]:
    """Labels of `width` characters at least: leather leaves room for those, and SVG does not draw the blanks."""
    return lambda value, _index, _count: say(float(value)).rjust(width)


class _Exact(Linear):  # type: ignore[misc]  # leather brings no types
    """A linear scale that ends where it is told to: leather's own rounds its ends."""

    def __init__(self, low: float, high: float) -> None:
        super().__init__(low, high)
        self._low, self._high = low, max(high, low + 1e-9)

    def contains(self, _: object) -> bool:
        return True

    def project(self, value: Any, range_min: Any, range_max: Any) -> float:
        share = (min(max(float(value), self._low), self._high) - self._low) / (self._high - self._low)
        return round(float(range_min) + (float(range_max) - float(range_min)) * share, 1)


class _Drawn(Shape):  # type: ignore[misc]  # leather brings no types
    """A shape that goes with every series, and is told in the page's own legend."""

    def validate_series(self, _: Any) -> None:
        """All are ours."""

    def legend_to_svg(self, *_: Any) -> list[Any]:
        return []


class _Window(_Drawn):
    """The time in which the fault was there."""

    def __init__(self, panel: Panel) -> None:
        self._panel = panel

    def to_svg(self, width: Any, height: Any, x_scale: Any, *_: Any) -> ET.Element:
        group = ET.Element("g")
        for start, end in self._panel.windows:
            left, right = (x_scale.project(each, 0, width) for each in (start, end))
            box = {"x": left, "y": 0, "width": round(max(1.0, right - left), 1), "height": round(float(height), 1)}
            ET.SubElement(group, "rect", _texts(box), fill="var(--fault)")
            line = {"x1": left, "x2": left, "y1": 0, "y2": round(float(height), 1)}
            ET.SubElement(group, "line", _texts(line), stroke="var(--fault-line)")
        return group


class _Curve(_Drawn):
    """A line, filled down to zero where it is asked to be."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def to_svg(self, width: Any, height: Any, x_scale: Any, y_scale: Any, *_: Any) -> ET.Element:
        group = ET.Element("g")
        for points in _runs(self._line.points):
            placed = [(x_scale.project(x, 0, width), y_scale.project(y, height, 0)) for x, y in points]
            path = "M" + " L".join(f"{x:g} {y:g}" for x, y in placed)
            if self._line.filled:
                bottom = round(float(height), 1)
                area = f"{path} L{placed[-1][0]:g} {bottom:g} L{placed[0][0]:g} {bottom:g} Z"
                ET.SubElement(group, "path", {"d": area, "fill": self._line.colour, "fill-opacity": "0.22"})
            style = {"d": path, "fill": "none", "stroke": self._line.colour, "stroke-width": "1.6"}
            ET.SubElement(group, "path", {**style, "stroke-linejoin": "round", "stroke-linecap": "round"})
        return group


def _runs(points: Sequence[tuple[float, float | None]]) -> Iterator[Points]:
    """The stretches without a gap."""
    run: Points = []
    for x, y in points:
        if y is not None:
            run.append((x, y))
        elif run:
            yield run
            run = []
    if run:
        yield run


class _Lane(_Drawn):
    """What state something was in, over time."""

    def __init__(self, lane: Lane, row: int, rows: int) -> None:
        self._lane, self._row, self._rows = lane, row, rows

    def to_svg(self, width: Any, height: Any, x_scale: Any, *_: Any) -> ET.Element:
        group = ET.Element("g")
        step = float(height) / self._rows
        for start, end, colour in self._lane.spans:
            left, right = (x_scale.project(each, 0, width) for each in (start, end))
            box = {"x": left, "y": round(step * self._row + 3, 1), "width": round(max(1.0, right - left), 1)}
            ET.SubElement(group, "rect", _texts({**box, "height": round(step - 6, 1), "rx": 2}), fill=colour)
        return group


def _texts(values: dict[str, Any]) -> dict[str, str]:
    return {name: f"{value:g}" for name, value in values.items()}

"""Draws a panel as SVG text: lines, areas, lanes, and the fault's window behind them, over a time axis.

Axes and layout are leather's; style and scales are those of the trace pages' drawings.
"""

import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import leather
from leather.shapes.base import Shape

from chaos.report.panels import Lane, Line, Panel
from observability.embedded.charts import ExactScale, svg, use_page_style

WIDTH: Final = 440
HEIGHT: Final = 136
_LANE_PX: Final = 22
_LABEL: Final = 5  # characters: so that the time axes of all panels begin below each other
_AXIS_PX: Final = 34
_STYLE: Final = {"margin": 0.012, "zero_color": "var(--axis)", "tick_font_char_width": 6.6}


def draw(panel: Panel) -> str:
    """An `<svg>` that scales with its column; what it shows is its accessible name."""
    use_page_style(**_STYLE)
    chart = leather.Chart()
    chart.set_x_scale(ExactScale(*panel.x))
    chart.set_y_scale(ExactScale(0, panel.top))
    chart.add_x_axis(ticks=list(panel.x_ticks), tick_formatter=_said(lambda value: f"{value:g} s"))
    chart.add_y_axis(ticks=list(panel.y_ticks), tick_formatter=_said(panel.said, _LABEL))
    for points, shape in _layers(panel):
        chart.add_series(leather.Series(points), shape)
    height = len(panel.lanes) * _LANE_PX + _AXIS_PX if panel.lanes else HEIGHT
    return svg(chart, WIDTH, height, panel.title)


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

"""The call graph as a drawing: a box for each node, in layers, a line for each call, as thick as it is frequent. Pure.

Across for a desk, downwards for a telephone: the same layers, with the axes exchanged.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from observability.embedded import display
from observability.embedded.call_graph import Call, Graph, layers

_THICKEST: Final = 7.0
_THINNEST: Final = 1.5
_BAD_SHARE: Final = 0.05


@dataclass(frozen=True, slots=True)
class Box:
    """A node; `x` and `y` are its middle."""

    name: str
    kind: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Arrow:
    """A call: an SVG path, and where its rate is written. `state` is `bad` if more than a twentieth failed, or `fine`."""

    call: Call
    path: str
    thickness: str
    x: float
    y: float
    rate: str
    state: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """Everything in pixels of a canvas of `width` by `height`."""

    width: int
    height: int
    boxes: Sequence[Box]
    arrows: Sequence[Arrow]


@dataclass(frozen=True, slots=True)
class _Canvas:
    """How large things are, along the calls and across them."""

    downwards: bool
    width: int
    along: float
    across: float
    box_height: float = 40.0


def across(graph: Graph) -> Drawing:
    """For a wide screen."""
    return _drawn(graph, _Canvas(downwards=False, width=1160, along=0.0, across=74.0))


def downwards(graph: Graph) -> Drawing:
    """For a narrow screen."""
    return _drawn(graph, _Canvas(downwards=True, width=350, along=104.0, across=0.0))


def _drawn(graph: Graph, canvas: _Canvas) -> Drawing:
    rows = layers(graph)
    widest, depth = max(map(len, rows), default=1), max(len(rows), 1)
    height = depth * canvas.along if canvas.downwards else widest * canvas.across
    boxes = {box.name: box for box in _boxes(graph, rows, canvas, height)}
    arrows = [_arrow(graph, call, boxes, canvas) for call in graph.calls if call.caller != call.callee]
    return Drawing(canvas.width, math.ceil(height), [*boxes.values()], arrows)


def _boxes(graph: Graph, rows: Sequence[Sequence[str]], canvas: _Canvas, height: float) -> Iterator[Box]:
    for depth, row in enumerate(rows):
        for place, name in enumerate(row):
            ahead, beside = (depth + 0.5) / len(rows), (place + 0.5) / len(row)
            room = canvas.width / (len(row) if canvas.downwards else len(rows) * 1.35) - 8
            x, y = (beside, ahead) if canvas.downwards else (ahead, beside)
            width = min(room, max(64.0, len(name) * display.CHARACTER_PX + 26))
            kind = "service" if name in graph.services else "other"
            yield Box(name, kind, round(x * canvas.width, 1), round(y * height, 1), round(width, 1), canvas.box_height)


def _arrow(graph: Graph, call: Call, boxes: dict[str, Box], canvas: _Canvas) -> Arrow:
    begin, end = boxes[call.caller], boxes[call.callee]
    busiest = max(each.count for each in graph.calls)
    thickness = _THINNEST + (_THICKEST - _THINNEST) * math.sqrt(call.count / busiest)
    (x1, y1), (x2, y2) = _ends(begin, end, canvas)
    lead_x, lead_y = (0.0, (y2 - y1) / 2) if canvas.downwards else ((x2 - x1) / 2, 0.0)
    path = f"M{x1:g} {y1:g} C{x1 + lead_x:g} {y1 + lead_y:g} {x2 - lead_x:g} {y2 - lead_y:g} {x2:g} {y2:g}"
    # Nearer to the callee, where lines that begin together have parted.
    x, y = _on_curve((x1, y1), (x1 + lead_x, y1 + lead_y), (x2 - lead_x, y2 - lead_y), (x2, y2), 0.6)
    state = "bad" if call.failed_share > _BAD_SHARE else "fine"
    return Arrow(call, path, f"{thickness:.1f}", x, y, display.rate(graph.per_second(call)), state)


def _ends(begin: Box, end: Box, canvas: _Canvas) -> tuple[tuple[float, float], tuple[float, float]]:
    if canvas.downwards:
        return (begin.x, begin.y + begin.height / 2), (end.x, end.y - end.height / 2 - 5)
    return (begin.x + begin.width / 2, begin.y), (end.x - end.width / 2 - 5, end.y)


Point = tuple[float, float]


def _on_curve(a: Point, b: Point, c: Point, d: Point, t: float) -> Point:
    """The point at `t` of a cubic Bézier curve."""
    s = 1 - t
    x, y = (s**3 * p + 3 * s**2 * t * q + 3 * s * t**2 * r + t**3 * u for p, q, r, u in zip(a, b, c, d, strict=True))
    return round(x, 1), round(y, 1)

"""HTML of the backend's pages: everything inline, no scripts, nothing loaded from anywhere.

`render_self_contained` makes the same waterfall as one file that outlives the system.
"""

import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from opentelemetry.semconv.attributes.db_attributes import DB_QUERY_TEXT

from observability import semconv
from observability.embedded import display
from observability.embedded.waterfall import Attempt, JsonObject, Row, Waterfall, build

COLOURS: Final = 10
"""Service colours in the style sheet; further services begin again with the first."""

MAX_ROWS: Final = 2_000
"""Rows drawn; a browser takes seconds for more, and nobody reads them."""

# Percent of the axis: what begins or ends beyond has its label on the other side.
_LABEL_ROOM: Final = 87
_QUERY_LENGTH: Final = 160
_CALLING: Final = ("client", "producer")

_ENVIRONMENT: Final = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENVIRONMENT.filters |= {
    "duration": display.duration,
    "moment": display.moment,
    "operation": display.operation,
}


def render(template: str, **values: Any) -> str:
    """One of the templates with its values; all text is escaped."""
    return _ENVIRONMENT.get_template(template).render(values)


def render_self_contained(jaeger_trace: JsonObject) -> str:
    """One HTML file with the waterfall of a trace in Jaeger's JSON (one element of `data`)."""
    return render_trace(jaeger_trace, online=False)


def render_trace(jaeger_trace: JsonObject, *, online: bool) -> str:
    """The waterfall; `online` adds links to the list of traces, to linked traces and to the JSON."""
    waterfall = build(jaeger_trace)
    axis = Axis(waterfall.duration_us)
    coloured = colours(waterfall.services)
    rows = waterfall.rows[:MAX_ROWS]
    return render(
        "trace.html",
        online=online,
        waterfall=waterfall,
        services=[*_services(waterfall, coloured)],
        axis=axis,
        lines=[*_lines(rows, axis, coloured)],
        hidden=len(waterfall.rows) - len(rows),
        first_error=next((row for row in rows if row.error), None),
        first_retry=next((row for row in rows if row.retried), None),
    )


def colours(services: Iterable[str]) -> Mapping[str, int]:
    """A colour for each, by its name, so that it is the same on every page unless two want the same one."""
    chosen: dict[str, int] = {}
    free = set(range(COLOURS))
    for service in sorted(services):
        wanted = zlib.crc32(service.encode()) % COLOURS
        chosen[service] = min(free, key=lambda colour: (colour - wanted) % COLOURS, default=wanted)
        free.discard(chosen[service])
    return chosen


@dataclass(frozen=True, slots=True)
class Place:
    """Where something lies on the time axis, in percent of its width, as CSS numbers."""

    left: str
    width: str


@dataclass(frozen=True, slots=True)
class Axis:
    """The time axis of a waterfall, `duration_us` long."""

    duration_us: int

    def percent(self, us: int) -> float:
        return max(0.0, min(100.0, 100 * us / max(self.duration_us, 1)))

    def place(self, start_us: int, duration_us: int) -> Place:
        left = self.percent(start_us)
        return Place(f"{left:.3f}", f"{self.percent(start_us + duration_us) - left:.3f}")

    def ticks(self) -> Iterator[tuple[str, str, str]]:
        """Label and place of each tick, and on which side of it the label has room."""
        for tick in display.ticks(self.duration_us):
            place = self.percent(tick)
            side = "before" if place > _LABEL_ROOM else "after"
            yield display.duration(tick) if tick else "0", f"{place:.3f}", side

    def step(self) -> str:
        """The distance between two ticks."""
        ticks = display.ticks(self.duration_us)
        return f"{self.percent(ticks[1]):.3f}" if len(ticks) > 1 else "100"


@dataclass(frozen=True, slots=True)
class Service:
    """A line of the legend. `share` is its part of all own time, in percent."""

    name: str
    colour: int
    spans: int
    own_us: int
    share: str


def _services(waterfall: Waterfall, coloured: Mapping[str, int]) -> Iterator[Service]:
    own = display.own_times(waterfall)
    total = max(sum(own.values()), 1)
    spans = Counter(row.service for row in waterfall.rows) + Counter(r.service for r in waterfall.rows if r.folded)
    for name in waterfall.services:
        yield Service(name, coloured[name], spans[name], own[name], f"{100 * own[name] / total:.2f}")


@dataclass(frozen=True, slots=True)
class Segment:
    """An attempt drawn inside the bar of its call."""

    attempt: Attempt
    place: Place
    numbered: bool


@dataclass(frozen=True, slots=True)
class Line:
    """A row as the template needs it. `closes` is how many open elements end after it.

    `statements` counts the rows below if they are but the SQL of one unit of work: these begin hidden.
    """

    row: Row
    colour: int
    bar: Place
    label_side: str
    segments: Sequence[Segment]
    failed_attempts: int
    wait: Place | None
    waited_us: int
    siblings: int
    calls_out: bool
    label: str
    statements: int
    marks: Sequence[str]
    closes: int


def _lines(rows: Sequence[Row], axis: Axis, coloured: Mapping[str, int]) -> Iterator[Line]:
    depths = [row.depth for row in rows[1:]] + [0]
    calls: list[Row] = []
    for index, (row, next_depth) in enumerate(zip(rows, depths, strict=True)):
        del calls[row.depth :]
        call = calls[-1] if calls and row.attempt else None
        calls.append(row)
        waited = _waited(row, call)
        yield Line(
            row=row,
            colour=coloured[row.service],
            bar=axis.place(row.start_us, row.duration_us),
            label_side=_label_side(axis, row),
            segments=[*_segments(row, axis)],
            failed_attempts=sum(each.error for each in row.attempts),
            wait=axis.place(row.start_us - waited, waited) if waited else None,
            waited_us=waited,
            siblings=len(call.attempts) if call else 0,
            calls_out=row.kind in _CALLING or any(key == semconv.CALLEE for key, _ in row.tags),
            label=_label(row),
            statements=_statements(rows[index + 1 : index + 1 + row.below]),
            marks=[f"{axis.percent(event.at_us):.3f}" for event in row.events],
            closes=max(0, row.depth - next_depth + 1),
        )


def _label(row: Row) -> str:
    """What a row is called: SQL by its text, which tells more than the name of its span."""
    query = " ".join(dict(row.tags).get(DB_QUERY_TEXT, "").split())
    return query[:_QUERY_LENGTH] or display.operation(row.operation)


def _statements(below: Sequence[Row]) -> int:
    quiet = all(any(key == semconv.DB_SYSTEM_NAME for key, _ in row.tags) and not row.error for row in below)
    return len(below) if quiet else 0


def _segments(row: Row, axis: Axis) -> Iterator[Segment]:
    for attempt in row.attempts if row.retried else ():
        place = axis.place(attempt.start_us, attempt.duration_us)
        yield Segment(attempt, place, numbered=float(place.width) > 1.8)


def _waited(row: Row, call: Row | None) -> int:
    same = (each for each in call.attempts if each.number == row.attempt) if call else iter(())
    return next((each.waited_us for each in same), 0)


def _label_side(axis: Axis, row: Row) -> str:
    """Where the duration has room beside the bar: after it, before it, or inside a bar that fills the axis."""
    if axis.percent(row.end_us) < _LABEL_ROOM:
        return "after"
    return "before" if axis.percent(row.start_us) > 100 - _LABEL_ROOM else "inside"

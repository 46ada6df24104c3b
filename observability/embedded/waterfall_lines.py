"""The rows of a waterfall as a template needs them: placed, coloured, and with all that is to be said of each. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from opentelemetry.semconv.attributes.db_attributes import DB_QUERY_TEXT

from observability import semconv
from observability.embedded import display
from observability.embedded.critical_path import critical_path, time_by_service
from observability.embedded.span_logs import LogLine
from observability.embedded.waterfall import Attempt, Row, Waterfall

# Percent of the axis: what begins or ends beyond has its label on the other side.
_LABEL_ROOM: Final = 87
_NUMBER_ROOM: Final = 1.8
_QUERY_LENGTH: Final = 160
_CALLING: Final = ("client", "producer")


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
    """A line of the legend. `path_us` is how long it is on the critical path, `share` the same in percent."""

    name: str
    colour: int
    spans: int
    path_us: int
    share: str


def services(waterfall: Waterfall, coloured: Mapping[str, int]) -> Iterator[Service]:
    """In the order of the rows."""
    spent = time_by_service(waterfall, critical_path(waterfall))
    total = max(sum(spent.values()), 1)
    spans = Counter(span.service for row in waterfall.rows for span in _spans(row) if not span.made)
    for name in waterfall.services:
        yield Service(name, coloured[name], spans[name], spent[name], f"{100 * spent[name] / total:.2f}")


@dataclass(frozen=True, slots=True)
class Segment:
    """An attempt drawn inside the bar of its call."""

    attempt: Attempt
    place: Place
    numbered: bool


@dataclass(frozen=True, slots=True)
class Line:
    """A row as the template needs it. `closes` is how many open elements end after it.

    `statements` counts the rows below if they are but the SQL of one unit of work: these begin hidden. `path` are the
    parts that are on the critical path, together `path_us`; `faults` are the kinds that were injected into it; `logs` are its log lines.
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
    path: Sequence[Place]
    path_us: int
    faults: Sequence[str]
    logs: Sequence[LogLine]
    closes: int


def lines(
    waterfall: Waterfall,
    axis: Axis,
    coloured: Mapping[str, int],
    logs: Sequence[LogLine] = (),
    at_most: int | None = None,
) -> Iterator[Line]:
    """The first `at_most` rows."""
    rows, path, logged = waterfall.rows[:at_most], critical_path(waterfall), _by_span(logs)
    depths = [row.depth for row in rows[1:]] + [0]
    calls: list[Row] = []
    for index, (row, next_depth) in enumerate(zip(rows, depths, strict=True)):
        del calls[row.depth :]
        call = calls[-1] if calls and row.attempt else None
        calls.append(row)
        waited, sections = _waited(row, call), path.get(index, ())
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
            path=[axis.place(begin, end - begin) for begin, end in sections],
            path_us=sum(end - begin for begin, end in sections),
            faults=[*_faults(row)],
            logs=[line for span in _spans(row) for line in logged.get(span.span_id, ())],
            closes=max(0, row.depth - next_depth + 1),
        )


def _faults(row: Row) -> Iterator[str]:
    for event in (event for span in _spans(row) for event in span.events):
        if event.name == semconv.EVENT_FAULT_INJECTED:
            yield dict(event.fields).get(semconv.FAULT_KIND, "") or "unnamed"


def _spans(row: Row) -> tuple[Row, ...]:
    """The spans that one row shows."""
    return (row, row.folded) if row.folded else (row,)


def loose_logs(waterfall: Waterfall, logs: Sequence[LogLine]) -> list[LogLine]:
    """The lines whose span has no row."""
    shown = {span.span_id for row in waterfall.rows for span in _spans(row)}
    return [line for line in logs if line.span_id not in shown]


def _by_span(logs: Sequence[LogLine]) -> Mapping[str, list[LogLine]]:
    found = defaultdict[str, list[LogLine]](list)
    for line in logs:
        found[line.span_id].append(line)
    return found


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
        yield Segment(attempt, place, numbered=float(place.width) > _NUMBER_ROOM)


def _waited(row: Row, call: Row | None) -> int:
    same = (each for each in call.attempts if each.number == row.attempt) if call else iter(())
    return next((each.waited_us for each in same), 0)


def _label_side(axis: Axis, row: Row) -> str:
    """Where the duration has room beside the bar: after it, before it, or inside a bar that fills the axis."""
    if axis.percent(row.end_us) < _LABEL_ROOM:
        return "after"
    return "before" if axis.percent(row.start_us) > 100 - _LABEL_ROOM else "inside"

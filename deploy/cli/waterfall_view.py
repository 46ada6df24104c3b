"""A trace as a waterfall of text: a line for each span, what it was on the left, when on the right.

    gateway: POST /api/v1/orders       ━━━━━━━━━━━━━━━━━━━━━━━━━━━━  41.2 ms
      orders: POST /v1/orders            ━━━━━━━━━━━━━━━━━━━━━━━━╸   38.0 ms
        orders-db place_order (4 SQL)    ━━╸                          7.1 ms
        ✗ attempt 1 Payments/Authorize     ━━━╸                       5.1 ms
          UNAVAILABLE · connection refused

A span's service is named where it is not its parent's; what a fault or a policy did to it is told below it. SQL statements
that went well are counted where there is room.
Pure, but for rich's text.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from rich.text import Text

from deploy.cli import event_lines
from deploy.cli.screen import colours, visible
from observability.embedded.display import duration, operation, ticks
from observability.embedded.waterfall import Row, Waterfall

DB_QUERY_TEXT: Final = "db.query.text"
_ERROR: Final = "bold red"
_DURATION: Final = 8
_NARROWEST: Final = 40


@dataclass(frozen=True)
class Layout:
    """Columns, in characters: the label, the bars, and how long."""

    label: int
    bar: int

    @classmethod
    def of(cls, width: int) -> "Layout":
        width = max(_NARROWEST, width)
        label = width * 55 // 100 if width < 100 else width * 45 // 100
        return cls(label, width - label - _DURATION - 2)


def lines(waterfall: Waterfall, width: int, *, everything: bool = False) -> Iterator[Text]:
    """For a terminal of `width` columns, 40 at least; `everything`: with the SQL statements."""
    drawing = _Drawing(waterfall, width, everything=everything)
    yield headline(waterfall)
    yield _legend({service: drawing.coloured[service] for service in waterfall.services})
    yield _axis(waterfall.duration_us, drawing.layout)
    for row, named in _with_change_of_service(drawing.rows):
        yield drawing.line(row, named=named)
        if row.error and row.status_text:
            yield _failure(row, width)
        for event in row.events:
            if said := event_lines.line(event.name, dict(event.fields)):
                yield _event(row, said, width)


class _Drawing:
    """What all lines of one waterfall share."""

    def __init__(self, waterfall: Waterfall, width: int, *, everything: bool) -> None:
        self.layout = Layout.of(width)
        self.coloured = colours(waterfall.services)
        self.rows = [row for row in waterfall.rows if everything or not _is_fine_statement(row)]
        self._hidden = Counter[str | None]() if everything else _statements(waterfall.rows)
        self._whole_us = waterfall.duration_us

    def line(self, row: Row, *, named: bool) -> Text:
        """Label, bar, duration."""
        label = self._label(row, named=named)
        label.truncate(self.layout.label, overflow="ellipsis", pad=True)
        bar = _bar(row, self._whole_us, self.layout.bar).ljust(self.layout.bar)
        label.append(" ")
        label.append(bar, _ERROR if row.error else self.coloured[row.service])
        return label.append(f" {duration(row.duration_us):>{_DURATION}}")

    def _label(self, row: Row, *, named: bool) -> Text:
        label = _label(row, f"bold {self.coloured[row.service]}", named=named)
        hidden = self._hidden[row.span_id] + (self._hidden[row.folded.span_id] if row.folded else 0)
        count = f" ({hidden} SQL)" if hidden else ""
        return label.append(count, "dim") if label.cell_len + len(count) <= self.layout.label else label


def _with_change_of_service(rows: Iterable[Row]) -> Iterator[tuple[Row, bool]]:
    """Each row, and whether its service is another than its parent's."""
    services: list[str] = []  # of the row's ancestors
    for row in rows:
        del services[row.depth :]
        yield row, not services or services[-1] != row.service
        services.append(row.service)


def headline(waterfall: Waterfall) -> Text:
    """`Trace 4bf9…  41.2 ms, 31 spans in 4 services, 1 retry, 1 failed`."""
    facts = f"{waterfall.spans} spans in {len(waterfall.services)} services"
    retries = f", {waterfall.retries} {'retry' if waterfall.retries == 1 else 'retries'}" if waterfall.retries else ""
    text = Text.assemble(
        ("Trace ", ""), (visible(waterfall.trace_id), "bold"), f"  {duration(waterfall.duration_us)}, {facts}{retries}"
    )
    if waterfall.errors:
        text.append(f", {waterfall.errors} failed", _ERROR)
    return text


def _legend(coloured: Mapping[str, str]) -> Text:
    return Text("  ").join(Text.assemble(("━━ ", colour), visible(service)) for service, colour in coloured.items())


def _axis(duration_us: int, layout: Layout) -> Text:
    """Round times above the bars, each where it is."""
    axis = ""
    for tick in ticks(duration_us, at_most=max(3, layout.bar // 10)):
        place, label = int(tick / max(1, duration_us) * layout.bar), duration(tick) if tick else "0"
        if place >= len(axis) + bool(axis) and place + len(label) <= layout.bar:
            axis = axis.ljust(place) + label
    return Text(" " * (layout.label + 1) + axis, "dim")


def _label(row: Row, service_style: str, *, named: bool) -> Text:
    label = Text("  " * row.depth)
    if row.error:
        label.append("✗ ", _ERROR)
    if named:
        label.append(f"{visible(row.service)}: ", service_style)
    if row.attempt:
        label.append(f"attempt {row.attempt} ", "yellow" if row.attempt > 1 else "")
    label.append(visible(operation(row.operation)))
    if row.retried:
        label.append(f" ({len(row.attempts)} attempts)", "yellow")
    return label


def _statements(rows: Iterable[Row]) -> Counter[str | None]:
    """Span id → how many SQL statements below it went well."""
    return Counter(row.parent_id for row in rows if _is_fine_statement(row))


def _is_fine_statement(row: Row) -> bool:
    return not row.error and row.below == 0 and any(key == DB_QUERY_TEXT for key, _ in row.tags)


def _failure(row: Row, width: int) -> Text:
    text = Text("  " * row.depth + f"  {visible(row.status_text)}", "red")
    text.truncate(max(_NARROWEST, width), overflow="ellipsis")
    return text


def _event(row: Row, said: str, width: int) -> Text:
    text = Text("  " * row.depth + f"  {visible(said)}", "yellow")
    text.truncate(max(_NARROWEST, width), overflow="ellipsis")
    return text


def _bar(row: Row, whole_us: int, width: int) -> str:
    """Where the span lies in the whole, in halves of a character; one half at least."""
    halves = 2 * width / max(1, whole_us)
    first = min(2 * width - 1, max(0, int(row.start_us * halves)))
    last = min(2 * width, max(first + 1, round(row.end_us * halves)))
    start = "╺" if first % 2 else ""
    end = "╸" if last % 2 and last - first > len(start) else ""
    if last - first == 1:
        return " " * (first // 2) + ("╺" if first % 2 else "╸")
    return " " * (first // 2) + start + "━" * (last // 2 - (first + 1) // 2) + end

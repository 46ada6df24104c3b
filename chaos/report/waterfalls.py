"""Example traces as rows for the report: fewer than the trace page shows, and nothing to click on."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from observability.embedded import display
from observability.embedded.page import colours
from observability.embedded.waterfall import Row, Waterfall, build

MOST_ROWS: Final = 40
_DB_QUERY: Final = "db.query.text"


@dataclass(frozen=True)
class Bar:
    """A row: where it lies on the axis, in percent, and what it is called. `retry`: it is not a call's first attempt."""

    label: str
    service: str
    colour: int
    depth: int
    left: str
    width: str
    took: str
    failed: bool
    retry: bool
    why: str


@dataclass(frozen=True)
class Example:
    """An example trace: `title` says which request it is of, `answer` what that got. `hidden` rows are not drawn."""

    title: str
    answer: str
    good: bool
    took: str
    trace_id: str
    bars: Sequence[Bar]
    hidden: int
    retries: int
    failed: int


def example(document: Mapping[str, Any]) -> Example:
    """From an element of a session's `examples`."""
    waterfall, request = build(document["trace"]), document["request"]
    rows = [row for row in waterfall.rows if not _is_fine_statement(row)]
    return Example(
        title=document["title"],
        answer=request["outcome"],
        good=request["good"],
        took=display.duration(request["latency_s"] * 1_000_000),
        trace_id=waterfall.trace_id,
        bars=list(_bars(waterfall, rows[:MOST_ROWS])),
        hidden=max(0, len(rows) - MOST_ROWS),
        retries=waterfall.retries,
        failed=waterfall.errors,
    )


def _bars(waterfall: Waterfall, rows: Sequence[Row]) -> Iterator[Bar]:
    coloured, whole = colours(waterfall.services), max(1, waterfall.duration_us)
    for row in rows:
        left = max(0.0, min(100.0, 100 * row.start_us / whole))
        width = max(0.0, min(100.0, 100 * row.end_us / whole) - left)
        attempt = f"attempt {row.attempt}: " if row.attempt else ""
        yield Bar(
            label=attempt + display.operation(row.operation),
            service=row.service,
            colour=coloured[row.service],
            depth=row.depth,
            left=f"{left:.2f}",
            width=f"{width:.2f}",
            took=display.duration(row.duration_us),
            failed=row.error,
            retry=bool(row.attempt and row.attempt > 1),
            why=row.status_text if row.error else "",
        )


def _is_fine_statement(row: Row) -> bool:
    return not row.error and row.below == 0 and any(key == _DB_QUERY for key, _ in row.tags)

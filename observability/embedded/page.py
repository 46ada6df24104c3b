"""HTML of the backend's pages: everything inline, nothing loaded from anywhere else.

`render_self_contained` makes the same waterfall as one file that outlives the system.
"""

import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from observability.embedded import display, waterfall_lines
from observability.embedded.span_logs import NO_LOGS, TraceLogs
from observability.embedded.waterfall import JsonObject, build

COLOURS: Final = 10
"""Service colours in the style sheet; further services begin again with the first."""

MAX_ROWS: Final = 2_000
"""Rows drawn; a browser takes seconds for more, and nobody reads them."""

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
    "rate": display.rate,
    "shortened": display.shortened,
}


def render(template: str, **values: Any) -> str:
    """One of the templates with its values; all text is escaped."""
    return _ENVIRONMENT.get_template(template).render(values)


def render_self_contained(jaeger_trace: JsonObject, logs: TraceLogs = NO_LOGS) -> str:
    """One HTML file with the waterfall of a trace in Jaeger's JSON (one element of `data`)."""
    return render_trace(jaeger_trace, logs, online=False)


def render_trace(jaeger_trace: JsonObject, logs: TraceLogs = NO_LOGS, *, online: bool) -> str:
    """The waterfall; `online` adds what needs the backend: links, the JSON, a script for the keyboard."""
    waterfall = build(jaeger_trace)
    axis = waterfall_lines.Axis(waterfall.duration_us)
    coloured = colours(waterfall.services)
    lines = [*waterfall_lines.lines(waterfall, axis, coloured, logs.lines, MAX_ROWS)]
    return render(
        "trace.html",
        online=online,
        waterfall=waterfall,
        services=[*waterfall_lines.services(waterfall, coloured)],
        axis=axis,
        lines=lines,
        hidden=len(waterfall.rows) - len(lines),
        missing=sum(row.orphan for row in waterfall.rows),
        logs=logs,
        loose=waterfall_lines.loose_logs(waterfall, logs.lines),
        first_error=next((line.row for line in lines if line.row.error), None),
        first_retry=next((line.row for line in lines if line.row.retried), None),
        first_fault=next((line.row for line in lines if line.faults), None),
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

"""Log lines of a trace, as a supervisor's control API answers them. Pure.

{"lines": [{"instance": "orders-1", "record": {"timestamp": "…Z", "level": "INFO", "message": "…", "span_id": "…"}}]}
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from observability import semconv

Text = tuple[str, str]

_SHOWN_APART: Final = frozenset({"timestamp", "level", "message", semconv.TRACE_ID, semconv.SPAN_ID})
# What every line of a process says of the process.
_OF_THE_PROCESS: Final = re.compile(r"service\.|telemetry\.|process\.")


@dataclass(frozen=True, slots=True)
class LogLine:
    """`at_us` is since 1970, None where the line has no time; `span_id` is empty where it names none."""

    at_us: int | None
    instance: str
    level: str
    message: str
    span_id: str
    fields: tuple[Text, ...]

    @property
    def is_bad(self) -> bool:
        return self.level in ("ERROR", "CRITICAL")


@dataclass(frozen=True, slots=True)
class TraceLogs:
    """The lines of one trace, by time; `problem` says why there are none, where that is not because none was written."""

    lines: tuple[LogLine, ...] = ()
    problem: str = ""


NO_LOGS: Final = TraceLogs()


def log_lines(document: Mapping[str, Any]) -> Iterator[LogLine]:
    """Raises KeyError, TypeError, AttributeError for what is no such answer."""
    for each in document["lines"]:
        record = each["record"]
        yield LogLine(
            at_us=_microseconds(record.get("timestamp")),
            instance=str(each["instance"]),
            level=str(record.get("level", "")),
            message=str(record.get("message", "")),
            span_id=str(record.get(semconv.SPAN_ID) or ""),
            fields=tuple(_fields(record)),
        )


def _fields(record: Mapping[str, Any]) -> Iterator[Text]:
    for name, value in record.items():
        if name not in _SHOWN_APART and value is not None and not _OF_THE_PROCESS.match(name):
            yield name, str(value)


def _microseconds(timestamp: object) -> int | None:
    try:
        return round(datetime.fromisoformat(str(timestamp)).timestamp() * 1_000_000)
    except (ValueError, OverflowError):
        return None

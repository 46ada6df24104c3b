"""Log lines as JSON: one object a line, with the service, the current trace and no secrets.

`{"timestamp": "2025-01-31T12:00:00.123Z", "level": "INFO", "logger": "...", "message": "...", "service.name": "...",
"service.version": "...", "service.instance.id": "...", "trace_id": "...", "span_id": "...", ...extra}`; the two ids are
null outside a trace, and a logged exception adds `exception.type`, `exception.message` and `exception.stacktrace`.
"""

import contextlib
import logging
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TextIO

from pythonjsonlogger.core import RESERVED_ATTRS, merge_record_extra
from pythonjsonlogger.json import JsonFormatter

from observability import semconv
from observability.current_span import span_ids
from observability.redaction import Redactor


def start(resource: Mapping[str, str], level: str, stream: TextIO, redactor: Redactor) -> Callable[[], None]:
    """Write everything logged at `level` (`DEBUG`, `INFO`, ...) or above to `stream`; what is returned ends that.

    `resource` is repeated on every line. An unknown level raises ValueError.
    """
    root = logging.getLogger()
    handler, previous = _Handler(stream), root.level
    handler.setFormatter(_Formatter(resource, redactor))
    root.setLevel(level)
    root.addHandler(handler)

    def stop() -> None:
        root.removeHandler(handler)
        root.setLevel(previous)

    return stop


class _Formatter(JsonFormatter):
    def __init__(self, resource: Mapping[str, str], redactor: Redactor) -> None:
        super().__init__()
        self._resource = resource
        self._redactor = redactor

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        fixed = {
            "timestamp": _rfc3339(record.created),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage() if not isinstance(record.msg, dict) else "",
            **self._resource,
        }
        log_data.update(fixed, **_trace(), **_exception(record, message_dict), **message_dict)
        merge_record_extra(record, log_data, reserved=RESERVED_ATTRS)
        log_data.update(fixed)  # an extra field may say which trace it speaks of, but not who is speaking

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        return {self._redactor.text(name): self._redactor.field(name, value) for name, value in log_data.items()}


class _Handler(logging.StreamHandler[TextIO]):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # logging's own spelling
        """Say that a record could not be written; logging's own answer would print its arguments, secrets included."""
        substitute = logging.LogRecord(
            record.name,
            record.levelno,
            record.pathname,
            record.lineno,
            _UNWRITABLE,
            (sys.exc_info()[1], record.msg),
            None,
        )
        with contextlib.suppress(OSError, ValueError):  # the stream itself is gone: there is nowhere left to say it
            self.stream.write(self.format(substitute) + self.terminator)
            self.flush()


_UNWRITABLE = "log record could not be written (%r): %.200s"


def _rfc3339(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def _trace() -> dict[str, str | None]:
    trace_id, span_id = span_ids() or (None, None)
    return {semconv.TRACE_ID: trace_id, semconv.SPAN_ID: span_id}


def _exception(record: logging.LogRecord, message_dict: dict[str, Any]) -> dict[str, Any]:
    """The formatter has put the stack's text under `exc_info`; OpenTelemetry has names for it and its parts."""
    stacktrace = message_dict.pop("exc_info", None)
    if stacktrace is None:
        return {}
    kind, reason, _ = record.exc_info or (None, None, None)
    return {
        semconv.EXCEPTION_TYPE: kind and f"{kind.__module__}.{kind.__qualname__}",
        semconv.EXCEPTION_MESSAGE: str(reason),
        semconv.EXCEPTION_STACKTRACE: stacktrace,
    }

"""Where the log lines of a trace come from: a supervisor's control API, over HTTP, or nowhere."""

import http.client
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final
from urllib.parse import urlencode, urlsplit

from observability.embedded.span_logs import NO_LOGS, LogLine, TraceLogs, log_lines

log = logging.getLogger(__name__)

MOST_LINES: Final = 1_000
_TIMEOUT_S: Final = 2.0  # a page without logs is better than one that does not come
_MOST_BYTES: Final = 16 << 20

LogSource = Callable[[str], TraceLogs]
"""The lines of the trace with this id of 32 hexadecimal digits. May block; never raises."""


def no_logs(_: str) -> TraceLogs:
    """For a backend that runs without a supervisor."""
    return NO_LOGS


def supervisor_logs(control_file: Path) -> LogSource:
    """`control_file` holds the address and the token of the control API; it is read each time, as it may change."""

    def ask(trace_id: str) -> TraceLogs:
        try:
            control = json.loads(control_file.read_bytes())
        except (OSError, ValueError) as exc:
            return _away(f"no supervisor runs: {control_file}: {exc}")
        try:
            return TraceLogs(tuple(_ask(control["address"], control["token"], trace_id)))
        except (OSError, http.client.HTTPException) as exc:
            return _away(f"the supervisor does not answer: {exc}")
        except (ValueError, KeyError, TypeError, AttributeError):
            return _away("what answers is no supervisor")

    return ask


def _ask(address: str, token: str, trace_id: str) -> list[LogLine]:
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=_TIMEOUT_S)
    query = urlencode({"trace_id": trace_id, "tail": MOST_LINES})
    try:
        connection.request("GET", f"/logs?{query}", headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        if answer.status != 200:
            raise http.client.HTTPException(f"status {answer.status}")
        return [*log_lines(json.loads(answer.read(_MOST_BYTES)))]
    finally:
        connection.close()


def _away(problem: str) -> TraceLogs:
    log.warning("no log lines for a trace", extra={"reason": problem})
    return TraceLogs(problem=problem)

"""Log lines of a trace: as a supervisor answers, and when there is none, or something else."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from observability.embedded.log_source import no_logs, supervisor_logs
from observability.embedded.page import render_self_contained
from observability.embedded.span_logs import LogLine, TraceLogs, log_lines
from tests.unit.embedded.jaeger import retried_checkout

RECORD = {
    "timestamp": "2026-01-01T01:00:00.250Z",
    "level": "ERROR",
    "message": "<b>refused</b>",
    "service.name": "orders",
    "trace_id": "1f",
    "span_id": "ab",
    "order_id": "o-1",
    "nothing": None,
}
LINES = {"lines": [{"instance": "orders-1", "record": RECORD}]}


def test_a_line() -> None:
    (line,) = log_lines(LINES)
    assert line == LogLine(1_767_229_200_250_000, "orders-1", "ERROR", "<b>refused</b>", "ab", (("order_id", "o-1"),))
    assert line.is_bad


def test_a_line_that_is_no_record_of_ours() -> None:
    (line,) = log_lines({"lines": [{"instance": "x", "record": {"message": "plain", "timestamp": "soon"}}]})
    assert (line.at_us, line.message, line.span_id, line.is_bad) == (None, "plain", "", False)


class Supervisor(HTTPServer):
    status, body, asked = 200, b"", ("", "")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Supervisor

    def do_GET(self) -> None:
        self.server.asked = self.path, self.headers["authorization"]
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    with Supervisor(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def control_file(supervisor: Supervisor, tmp_path: Path) -> Path:
    return written(tmp_path, supervisor.url)


def written(folder: Path, address: str) -> Path:
    file = folder / "control.json"
    file.write_text(json.dumps({"address": address, "token": "secret", "pid": 1}))
    return file


def test_the_supervisor_is_asked_with_the_token(supervisor: Supervisor, control_file: Path) -> None:
    supervisor.body = json.dumps(LINES).encode()
    found = supervisor_logs(control_file)("1f")
    assert ([line.message for line in found.lines], found.problem) == (["<b>refused</b>"], "")
    assert supervisor.asked == ("/logs?trace_id=1f&tail=1000", "Bearer secret")


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"lines": 5}', b'{"lines": [5]}', b"\xff"])
def test_an_answer_that_is_none_is_said(supervisor: Supervisor, control_file: Path, body: bytes) -> None:
    supervisor.body = body
    assert supervisor_logs(control_file)("1f") == TraceLogs(problem="what answers is no supervisor")


def test_a_refusal_is_said(supervisor: Supervisor, control_file: Path) -> None:
    supervisor.status = 401
    assert supervisor_logs(control_file)("1f").problem == "the supervisor does not answer: status 401"


def test_silence_is_said(tmp_path: Path) -> None:
    assert "does not answer" in supervisor_logs(written(tmp_path, "http://127.0.0.1:1"))("1f").problem


def test_a_supervisor_that_is_gone_is_said(tmp_path: Path) -> None:
    assert supervisor_logs(tmp_path / "none.json")("1f").problem.startswith("no supervisor runs")


def test_without_a_supervisor_nothing_is_missed() -> None:
    assert no_logs("1f") == TraceLogs()


def shown(*lines: LogLine, problem: str = "") -> str:
    return render_self_contained(retried_checkout(), TraceLogs(lines, problem))


def test_lines_stand_in_their_span_or_below_the_waterfall() -> None:
    made = retried_checkout()
    own = LogLine(1_000_500, "orders-1", "INFO", "order moved", made["spans"][1]["spanID"], (("step", "reserve"),))
    page = render_self_contained(made, TraceLogs((own,)))
    assert "1 log" in page
    assert "order moved" in page
    assert "Log lines of no span shown here" not in page
    (foreign,) = log_lines(LINES)
    page = shown(foreign)
    assert "Log lines of no span shown here" in page
    assert "&lt;b&gt;refused&lt;/b&gt;" in page
    assert "<b>refused" not in page


def test_why_there_are_none_is_said() -> None:
    assert "No log lines: nobody is there." in shown(problem="nobody is there")
    assert "No log lines" not in shown()

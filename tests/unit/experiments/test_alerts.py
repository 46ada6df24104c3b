import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from chaos.measure.alerts import Alert, Alerting, AlertReader, Notification
from chaos.measure.errors import AwayError

NAME = "CheckoutAvailabilityBurnRate"


@contextmanager
def answering(document: object) -> Iterator[str]:
    """Where everything is answered with this."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(document).encode())

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/api/alerts"
        finally:
            server.shutdown()
            thread.join()


def test_what_the_process_says_is_read() -> None:
    labels = {"alertname": NAME, "severity": "page"}
    said: dict[str, Any] = {
        "evaluator": "prometheus",
        "alerts": [{**labels, "state": "firing"}, {**labels, "severity": "ticket", "state": "pending"}],
        "delivered": [{**labels, "status": "firing", "at": "1970-01-01T00:01:40.250Z"}],
        "watchdog_heard_at": "1970-01-01T00:00:01.000Z",
    }
    page = Alert(NAME, "page")
    with answering(said) as url:
        found = AlertReader(url).read()
    assert found == Alerting("prometheus", True, (page,), (Notification(page, "firing", 100.25),))


def test_a_problem_is_read_and_no_watchdog_is_none() -> None:
    said: dict[str, Any] = {
        "evaluator": "prometheus",
        "alerts": [],
        "delivered": [],
        "watchdog_heard_at": None,
        "problem": "away",
    }
    with answering(said) as url:
        assert AlertReader(url).read() == Alerting("prometheus", problem="away")


@pytest.mark.parametrize("wrong", [[], {}, {"evaluator": "embedded", "alerts": 3}, {"evaluator": "", "alerts": [1]}])
def test_who_answers_otherwise_is_named(wrong: object) -> None:
    with answering(wrong) as url, pytest.raises(AwayError, match="does not answer like faultline-alerts"):
        AlertReader(url).read()


def test_a_system_without_alerts_has_none() -> None:
    with pytest.raises(AwayError, match="no faultline-alerts"):
        AlertReader("").read()

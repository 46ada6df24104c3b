import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from deploy.cli.health import event_loop_lags


class Health(BaseHTTPRequestHandler):
    body = ""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/healthz" else 404)
        self.end_headers()
        self.wfile.write(self.body.encode())

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def served(request: pytest.FixtureRequest) -> Iterator[int]:
    """The port of a process that answers with the parameter."""
    handler = type("Handler", (Health,), {"body": request.param})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def process(port: int, instance: str = "a-1") -> dict[str, Any]:
    return {"instance": instance, "host": "127.0.0.1", "listeners": {"ADMIN_PORT": port}}


@pytest.mark.parametrize("served", [json.dumps({"status": "alive", "event_loop_lag_s": 0.25})], indirect=True)
def test_each_tells_its_own_and_one_that_is_away_nothing(served: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections, and never answers
        found = event_loop_lags([process(served), process(1, "away-1"), process(silent.getsockname()[1], "paused-1")])
    assert found == {"a-1": 0.25, "away-1": None, "paused-1": None}


@pytest.mark.parametrize("served", ["", "[]", "{}", '{"event_loop_lag_s": null}', "hello"], indirect=True)
def test_an_answer_of_another_kind_is_none(served: int) -> None:
    assert event_loop_lags([process(served)]) == {"a-1": None}


def test_nobody_is_asked_in_a_system_without_processes() -> None:
    assert event_loop_lags([]) == {}

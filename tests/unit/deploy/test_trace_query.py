"""Which trace `faultline trace` shows, and what it says when there is none."""

import json
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from deploy.cli.trace_query import CHECKOUT_OPERATION, BackendAwayError, Wanted, by_id, newest, newest_checkout
from deploy.errors import NotFoundError


class Backend(HTTPServer):
    """Answers as Jaeger does; `answer` is the status and body of every request, but for those in `answers`."""

    answer: tuple[int, str] = (200, "")
    answers: Mapping[str, object] = MappingProxyType({})
    asked: str = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Backend

    def do_GET(self) -> None:
        self.server.asked = self.path
        status, body = self.server.answer
        if self.path in self.server.answers:
            body = json.dumps({"data": self.server.answers[self.path]})
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def backend() -> Iterator[Backend]:
    with Backend(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def found(*starts: int) -> str:
    return json.dumps({"data": [{"traceID": str(at), "spans": [{"startTime": at}]} for at in starts]})


def test_the_newest_checkout_is_found(backend: Backend) -> None:
    backend.answer = 200, found(3, 9, 5)
    assert newest_checkout(backend.url)["traceID"] == "9"
    assert backend.asked == "/api/traces?service=gateway&operation=POST+%2Fapi%2Fv1%2Forders&limit=20"


@pytest.mark.parametrize(
    "answer", [(404, '{"data": null, "errors": []}'), (200, '{"data": []}'), (200, '{"data": null}')]
)
def test_no_trace_is_said_with_what_to_do(backend: Backend, answer: tuple[int, str]) -> None:
    backend.answer = answer
    with pytest.raises(NotFoundError, match="there is no trace of a checkout yet; send some with `faultline load"):
        newest_checkout(backend.url)
    with pytest.raises(NotFoundError, match="there is no trace abc; the backend keeps only the newest"):
        by_id(backend.url, "abc")


@pytest.mark.parametrize("answer", [(500, "oops"), (200, "{}"), (200, "[]"), (200, '{"data": 3}')])
def test_a_backend_that_is_none_is_said(backend: Backend, answer: tuple[int, str]) -> None:
    backend.answer = answer
    with pytest.raises(BackendAwayError, match="does not answer like Jaeger"):
        by_id(backend.url, "abc")


def test_a_backend_that_is_away_is_said() -> None:
    with pytest.raises(BackendAwayError, match=r"does not answer: .*refused; see `faultline status`"):
        by_id("http://127.0.0.1:1", "abc")


def test_the_operation_of_a_checkout_is_the_gateways_route() -> None:
    assert CHECKOUT_OPERATION == "POST /api/v1/orders"


def span(start: int, duration: int, process: str = "p1", *, failed: bool = False, fault: str = "") -> dict[str, Any]:
    """Times in microseconds."""
    told = [{"key": "event", "value": "faultline.fault.injected"}, {"key": "faultline.fault.kind", "value": fault}]
    return {
        "startTime": start,
        "duration": duration,
        "processID": process,
        "tags": [{"key": "error", "value": True}] if failed else [],
        "logs": [{"fields": told}] if fault else [],
    }


def trace(name: str, *spans: dict[str, Any]) -> dict[str, Any]:
    processes = {"p1": {"serviceName": "gateway"}, "p2": {"serviceName": "payments"}}
    used = {each["processID"] for each in spans}
    return {"traceID": name, "spans": [*spans], "processes": {key: processes[key] for key in sorted(used)}}


FINE = trace("fine", span(400, 50_000))
SLOW = trace("slow", span(300, 2_000_000))
FAILED = trace("failed", span(200, 900), span(210, 500, "p2", failed=True, fault="error"))
LATE = trace("late", span(100, 700_000), span(110, 600_000, "p2", fault="latency"))


@pytest.fixture
def shop(backend: Backend) -> Backend:
    """Every search finds everything, as that of a backend which knows no conditions; newest are the first."""
    backend.answers = {"/api/services": ["gateway", "payments"]}
    backend.answer = 200, json.dumps({"data": [FINE, SLOW, FAILED, LATE]})
    return backend


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Wanted(service="gateway"), "fine"),
        (Wanted(service="payments"), "failed"),
        (Wanted(errors=True), "failed"),
        (Wanted(min_duration_s=1), "slow"),
        (Wanted(min_duration_s=0.5, service="payments"), "late"),
        (Wanted(fault="any"), "failed"),
        (Wanted(fault="latency"), "late"),
        (Wanted(fault="error", errors=True, service="gateway"), "failed"),
    ],
    ids=str,
)
def test_the_newest_that_fulfils_everything(shop: Backend, wanted: Wanted, found: str) -> None:
    assert newest(shop.url, wanted)["traceID"] == found


@pytest.mark.parametrize(
    ("wanted", "asked"),
    [
        (Wanted(service="payments"), {"service": ["payments"]}),
        (Wanted(service="payments", min_duration_s=0.2), {"service": ["payments"], "minDuration": ["0.2s"]}),
        (Wanted(errors=True), {"service": ["payments"], "tags": ['{"error": "true"}']}),
        (
            Wanted(errors=True, fault="any"),
            {"service": ["payments"], "tags": ['{"event": "faultline.fault.injected"}']},
        ),
    ],
    ids=str,
)
def test_the_backend_is_asked_for_what_narrows_most(shop: Backend, wanted: Wanted, asked: dict[str, list[str]]) -> None:
    newest(shop.url, wanted)
    assert parse_qs(urlsplit(shop.asked).query) == {**asked, "limit": ["100"]}


def test_a_backend_that_finds_no_errors_is_asked_for_all(shop: Backend) -> None:
    narrow = {"service": "gateway", "limit": 100, "tags": '{"error": "true"}'}
    for service in ("gateway", "payments"):
        shop.answers = {**shop.answers, f"/api/traces?{urlencode({**narrow, 'service': service})}": []}
    assert newest(shop.url, Wanted(errors=True))["traceID"] == "failed"


def test_that_none_fulfils_it_is_said(shop: Backend) -> None:
    wanted = Wanted(service="gateway", errors=True, min_duration_s=60, fault="kill")
    said = "no trace fulfils --service gateway --errors --min-duration 60s --fault kill; looked at the newest 100"
    with pytest.raises(NotFoundError, match=said):
        newest(shop.url, wanted)


def test_an_unknown_service_is_said_with_the_known_ones(shop: Backend) -> None:
    with pytest.raises(NotFoundError, match="there is no trace of a service 'users'; there are gateway, payments"):
        newest(shop.url, Wanted(service="users"))
    shop.answers = {"/api/services": None}
    with pytest.raises(NotFoundError, match="there are none yet"):
        newest(shop.url, Wanted(service="users"))

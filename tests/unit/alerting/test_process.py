"""The process as its supervisor meets it."""

import json
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.unit.alerting.running import TOKEN, running, settings_with_token, spawn
from tests.waiting import eventually


@pytest.mark.parametrize("setting", ["HTTP_PORT", "ADMIN_PORT"])
def test_a_taken_port_is_named_on_one_line(tmp_path: Path, setting: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = spawn({**settings_with_token(tmp_path), setting: str(port)})
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 69
    assert stderr == f"faultline-alerts: port {port} on 127.0.0.1 is already in use (setting {setting})\n"


def test_every_wrong_setting_is_named_and_no_token_shown(tmp_path: Path) -> None:
    short = tmp_path / "short"
    short.write_text("too-short")
    wrong = {
        "HTTP_PORT": "http",
        "NOTIFICATIONS_TOKEN_FILE": str(short),
        "ALERTS_PROFILE": "test",
        "PROMETHEUS_URL": "prometheus",
        "SCRAPE_TARGETS": "gateway=here",
        "LIFELINE_FD": "999",
    }
    process = spawn(wrong)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 78
    assert all(name in stderr for name in wrong)
    assert "ADMIN_PORT" not in stderr
    assert "too-short" not in stderr


def test_without_a_token_it_does_not_start() -> None:
    process = spawn({})
    _, stderr = process.communicate(timeout=60)
    assert (process.returncode, stderr) == (78, "wrong settings:\n  NOTIFICATIONS_TOKEN_FILE: Field required\n")


def test_a_cut_lifeline_ends_it(tmp_path: Path) -> None:
    read_end, write_end = os.pipe()
    with running({**settings_with_token(tmp_path), "LIFELINE_FD": str(read_end)}, pass_fds=[read_end]) as found:
        os.close(read_end)
        os.close(write_end)
        assert found.process.wait(timeout=60) == 0


def test_it_is_told_of_as_every_process_is(tmp_path: Path) -> None:
    with running(settings_with_token(tmp_path)) as found:
        assert json.loads(found.admin("/readyz")) == {"ready": True, "checks": {"running": "ok"}}
        assert json.loads(found.admin("/healthz"))["status"] == "alive"
        metrics = found.admin("/metrics")
    for line in (
        'faultline_alerts_notifications_total{faultline_alerts_result="unauthorized"} 0.0',
        'faultline_alerts_scrapes_total{faultline_alerts_result="failed"} 0.0',
    ):
        assert line in metrics
    assert 'service_name="faultline-alerts"' in metrics


class _Answers(BaseHTTPRequestHandler):
    """Answers each path with what the server has for it; 404 for others."""

    server: "_Told"

    def do_GET(self) -> None:
        body = self.server.told.get(self.path.partition("?")[0])
        self.send_response(200 if body is not None else 404)
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, *_: Any) -> None:
        pass


class _Told(HTTPServer):
    told: dict[str, bytes]


@contextmanager
def server(told: dict[str, bytes]) -> Iterator[int]:
    """Its port. `told` may be changed while it serves."""
    with _Told(("127.0.0.1", 0), _Answers) as found:
        found.told = told
        thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield found.server_address[1]
        finally:
            found.shutdown()
            thread.join()


def test_it_evaluates_what_it_scrapes(tmp_path: Path) -> None:
    line = 'http_server_request_duration_seconds_count{{http_request_method="POST",http_route="/api/v1/orders",http_response_status_code="{}"}} {}\n'
    told = {"/metrics": (line.format(201, 0) + line.format(503, 0)).encode()}
    with server(told) as port:
        scraped = {"SCRAPE_TARGETS": f"gateway/gateway-1=127.0.0.1:{port}", "ALERTS_PROFILE": "demo"}
        with running({**settings_with_token(tmp_path), **scraped}) as found:

            def seen() -> None:
                assert 'faultline_alerts_scrapes_total{faultline_alerts_result="answered"} 0.0' not in found.admin(
                    "/metrics"
                )

            eventually(seen, 60)
            told["/metrics"] = (line.format(201, 10) + line.format(503, 10)).encode()

            def fired() -> None:
                told = [each for each in found.overview()["delivered"] if each["severity"] == "page"]
                assert {each["alertname"] for each in told} == {
                    "CheckoutAvailabilityBurnRate",
                    "CheckoutLatencyBurnRate",
                }

            eventually(fired, 60)
            assert found.overview()["evaluator"] == "embedded"


def prometheus_says(**changed: Any) -> dict[str, bytes]:
    """As Prometheus 2.42 answers."""
    sample = {
        "metric": {
            "__name__": "faultline:slo_errors:ratio_rate1h",
            "journey": "checkout",
            "slo": "checkout-availability",
        },
        "value": [1700000000.123, "0.144"],
    }
    budget = {
        "metric": {"__name__": "faultline:slo_error_budget_remaining:ratio", "slo": "checkout-availability"},
        "value": [1700000000.123, "0.25"],
    }
    alert = {
        "labels": {"alertname": "NoTraffic", "service": "gateway", "severity": "ticket"},
        "annotations": {"summary": "no customer comes through gateway"},
        "state": "pending",
        "activeAt": "2023-11-14T22:13:20.123456789Z",
        "value": "0e+00",
    }
    answers = {
        "/api/v1/query": {"status": "success", "data": {"resultType": "vector", "result": [sample, budget]}},
        "/api/v1/alerts": {"status": "success", "data": {"alerts": [alert]}},
        **changed,
    }
    return {path: json.dumps(answer).encode() for path, answer in answers.items()}


def test_a_prometheus_is_asked_where_there_is_one(tmp_path: Path) -> None:
    with (
        server(prometheus_says()) as port,
        running({**settings_with_token(tmp_path), "PROMETHEUS_URL": f"http://127.0.0.1:{port}/"}) as found,
    ):
        told = found.overview()
    assert (told["evaluator"], told["profile"]) == ("prometheus", "production")
    (first, *others) = told["objectives"]
    assert first["burn_rates"]["1h"] == pytest.approx(14.4)
    assert first["burn_rates"]["5m"] is None
    assert first["budget_remaining"] == 0.25
    assert all(each["budget_remaining"] is None for each in others)
    assert [(each["alertname"], each["state"], each["silenced"]) for each in told["alerts"]] == [
        ("NoTraffic", "pending", False)
    ]


def taken_in(age_s: str) -> dict[str, bytes]:
    """Of a Prometheus whose newest sample is so old; empty: that has none."""
    newest = [{"metric": {"__name__": "newest"}, "value": [1700000000.123, age_s]}] if age_s else []
    answer = {"status": "success", "data": {"resultType": "vector", "result": newest}}
    return prometheus_says(**{"/api/v1/query": answer, "/api/v1/alerts": {"status": "success", "data": {"alerts": []}}})


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({}, "does not answer"),
        (taken_in("93.4"), "takes nothing in: its newest sample is 93 s old"),
        (taken_in(""), "takes nothing in: it has no samples"),
    ],
)
def test_in_the_place_of_one_that_takes_nothing_in_it_evaluates_itself(
    tmp_path: Path, answers: dict[str, bytes], said: str
) -> None:
    told = dict(answers)
    with server(told) as port:
        watched = {
            "SCRAPE_TARGETS": f"gateway/gateway-1=127.0.0.1:{port}",
            "PROMETHEUS_URL": f"http://127.0.0.1:{port}",
            "ALERTS_PROFILE": "demo",
        }
        with running({**settings_with_token(tmp_path), **watched}) as found:

            def stands_in() -> None:
                overview = found.overview()
                assert (overview["evaluator"], overview["watchdog_heard_at"] is None) == ("embedded", False)
                assert said in overview["problem"]
                assert [each["alertname"] for each in overview["alerts"]] == ["Watchdog"]

            eventually(stands_in, 60)
            assert 'faultline_alerts_prometheus_checks_total{faultline_alerts_result="failed"} 0.0' not in found.admin(
                "/metrics"
            )
            told |= taken_in("1.5")

            def rests() -> None:
                overview = found.overview()
                assert (overview["evaluator"], overview["watchdog_heard_at"]) == ("prometheus", None)
                assert "problem" not in overview

            eventually(rests, 60)


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({}, "does not answer"),
        (
            prometheus_says(**{"/api/v1/query": {"status": "error", "error": "TSDB not ready"}}),
            "refuses: TSDB not ready",
        ),
        (prometheus_says(**{"/api/v1/alerts": {"status": "success", "data": {"alerts": 3}}}), "not understood"),
        (prometheus_says(**{"/api/v1/alerts": ["no document"]}), "refuses"),
    ],
)
def test_a_prometheus_that_fails_is_said_and_survived(tmp_path: Path, answers: dict[str, bytes], said: str) -> None:
    with (
        server(answers) as port,
        running({**settings_with_token(tmp_path), "PROMETHEUS_URL": f"http://127.0.0.1:{port}"}) as found,
    ):
        told = found.overview()
        assert said in told["problem"]
        assert told["alerts"] == []
        assert len(told["objectives"]) == 6
        assert found.overview()["problem"]


def test_the_token_is_in_no_log_line(tmp_path: Path) -> None:
    process = spawn({**settings_with_token(tmp_path), "LOG_LEVEL": "debug"})
    assert process.stdout is not None
    said = ""
    while '"ready"' not in said:
        said += process.stdout.readline()
    process.terminate()
    rest, stderr = process.communicate(timeout=60)
    assert TOKEN not in said + rest + stderr
    assert process.returncode == 0

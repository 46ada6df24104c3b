"""The closed loop without a Prometheus: a fault, an alert, who is told, recovery, resolved."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from chaos.control import Fault, HttpFaultControl
from chaos.control import target as targets
from deploy.system import System, start_system
from observability import semconv
from observability.stack.objectives import load_all
from tests.e2e.http_api import Api
from tests.e2e.metrics import families, samples
from tests.e2e.topologies import PLENTIFUL_REFERENCE
from tests.integration.supervisor.command import faultline
from tests.waiting import eventually

ALERT = "CheckoutAvailabilityBurnRate"
RPS = 3.0
# Times of a machine that does other things as well; how quick it is where it does not, a unit test says.
FIRES_WITHIN_S = RESOLVES_WITHIN_S = 240.0
FAULT_TTL_S = 500.0

patient = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system with some load, which may be given faults."""
    with start_system(tmp_path_factory.mktemp("busy"), topology=PLENTIFUL_REFERENCE, load_rps=RPS) as started:
        yield started


def overview(system: System) -> dict[str, Any]:
    answer = Api(system.url("faultline-alerts-1", "HTTP_PORT")).get("/api/alerts")
    assert answer.status == 200
    found: dict[str, Any] = answer.json()
    return found


def pages(system: System) -> list[dict[str, Any]]:
    """Those of the alert that fire."""
    found = overview(system)["alerts"]
    return [each for each in found if (each["alertname"], each["severity"], each["state"]) == (ALERT, "page", "firing")]


def told(system: System) -> list[str]:
    """What was delivered of the page, oldest first."""
    found = reversed(overview(system)["delivered"])
    return [each["status"] for each in found if (each["alertname"], each["severity"]) == (ALERT, "page")]


def sold(system: System) -> float:
    labels = {"http_route": "/api/v1/orders", "http_response_status_code": "201"}
    found = samples(system.url("gateway-1", "ADMIN_PORT"), "http_server_request_duration_seconds_count", **labels)
    return sum(each.value for each in found)


@patient
def test_a_fault_pages_and_its_end_resolves(busy: System) -> None:
    def healthy() -> None:
        assert sold(busy) > 5
        assert pages(busy) == []

    def fires() -> None:
        assert [each["labels"]["slo"] for each in pages(busy)] == ["checkout-availability"]
        assert told(busy)[len(before) :] == ["firing"]

    def resolved() -> None:
        assert pages(busy) == []
        assert told(busy)[len(before) :] == ["firing", "resolved"]

    eventually(healthy, FIRES_WITHIN_S)
    before = told(busy)
    control = HttpFaultControl(targets.read(busy.state.path))
    control.add(Fault("orders", "error", operation="POST /v1/orders", ttl_s=FAULT_TTL_S))
    try:
        eventually(fires, FIRES_WITHIN_S)
    finally:
        control.clear()
    eventually(resolved, RESOLVES_WITHIN_S)
    checkout = next(each for each in overview(busy)["objectives"] if each["slo"] == "checkout-availability")
    assert checkout["budget_remaining"] < 1
    assert checkout["burn_rates"]["72m"] > 1


@patient
def test_the_command_says_it_and_who_evaluates(busy: System) -> None:
    shown = faultline(busy.state.path, "alerts")
    assert shown.returncode == 0, shown.stderr
    assert "Evaluated by faultline-alerts itself" in shown.stdout
    found = json.loads(faultline(busy.state.path, "alerts", "--json").stdout)
    assert (found["evaluator"], found["profile"]) == ("embedded", "demo")
    assert {each["slo"] for each in found["objectives"]} >= {"checkout-pending", "browse-degraded"}
    for each in found["objectives"]:
        assert each["slo"] in shown.stdout
        assert list(each["burn_rates"]) == list(load_all().profiles["demo"].windows.values())


def test_every_process_is_scraped(busy: System) -> None:
    url = busy.url("faultline-alerts-1", "ADMIN_PORT")

    def check() -> None:
        (answered,) = samples(url, "faultline_alerts_scrapes_total", faultline_alerts_result="answered")
        assert answered.value >= len(busy.topology["processes"])

    eventually(check, 60)
    declared = {each.prometheus_name.removesuffix("_total") for each in semconv.ALERTING_METRICS}
    assert declared <= set(families(url))


def test_only_who_has_the_token_is_listened_to(busy: System) -> None:
    token = busy.state.notifications_token_file.read_text()
    assert busy.state.notifications_token_file.stat().st_mode & 0o777 == 0o600
    receiver = Api(busy.url("faultline-alerts-1", "HTTP_PORT"))
    assert receiver.request("POST", "/notifications", {}, b"{}").status == 401
    assert receiver.request("POST", "/notifications", {"Authorization": f"Bearer {token}"}, b"{}").status == 422
    assert token not in busy.state.log_file("faultline-alerts-1").read_text()


def test_a_runbook_is_where_alerts_say(busy: System) -> None:
    answer = Api(busy.url("faultline-alerts-1", "HTTP_PORT")).get(f"/runbooks/{ALERT}")
    assert answer.status == 200
    assert answer.body.decode().startswith(f"# {ALERT}")

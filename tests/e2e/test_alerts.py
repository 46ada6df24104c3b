"""The closed loop without a Prometheus: a fault, an alert, who is told, recovery, resolved."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.system import System, start_system
from observability import semconv
from observability.stack.objectives import load_all
from tests.e2e.experiments import PAGED, alerted, held
from tests.e2e.http_api import Api
from tests.e2e.metrics import families, samples
from tests.e2e.topologies import PLENTIFUL_REFERENCE
from tests.integration.supervisor.command import faultline
from tests.waiting import eventually

ALERT = "CheckoutAvailabilityBurnRate"

patient = pytest.mark.timeout(1500)
"""On a machine that does other things as well; how quick it is where it does not, a unit test says."""


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system which may be given faults, and never runs out of goods."""
    with start_system(tmp_path_factory.mktemp("busy"), topology=PLENTIFUL_REFERENCE) as started:
        yield started


def overview(system: System) -> dict[str, Any]:
    answer = Api(system.url("faultline-alerts-1", "HTTP_PORT")).get("/api/alerts")
    assert answer.status == 200
    found: dict[str, Any] = answer.json()
    return found


def told(system: System) -> list[str]:
    """What was delivered of the page, oldest first."""
    found = reversed(overview(system)["delivered"])
    return [each["status"] for each in found if (each["alertname"], each["severity"]) == (ALERT, "page")]


@patient
def test_an_experiment_is_told_of_and_so_is_its_end(busy: System, tmp_path: Path) -> None:
    before = told(busy)
    record, said = alerted(busy, tmp_path)
    (arm,) = record["arms"]
    claims = held(arm)
    assert PAGED.items() <= claims.items(), record["verdict"]
    assert claims["failed checkouts name the fault in their traces"], arm["found"]["assertions"]
    assert told(busy)[len(before) :][-2:] == ["firing", "resolved"]
    figures = arm["found"]["figures"]
    assert arm["found"]["alerts"]["evaluator"] == "embedded"
    for name, label in (
        ("time_to_detect_s", "Alert delivered after the fault began"),
        ("time_to_resolve_s", "Its end delivered after the fault was gone"),
    ):
        assert figures[name] > 0
        assert label in said
    assert "faultline-alerts evaluates and tells by itself" in said
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

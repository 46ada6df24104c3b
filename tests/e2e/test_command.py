"""The command's load, verify, status, logs and trace, on the system as it runs."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from chaos.invariants import INVARIANTS, read_acknowledged
from deploy.system import System
from tests.e2e.http_api import Api
from tests.e2e.running import SERVICES, shopper
from tests.e2e.traces import Trace, Traces
from tests.integration.supervisor.command import faultline
from tests.waiting import eventually

LOAD = ("load", "--rps", "40", "--duration", "1.5", "--mix", "checkout=4,checkout-declined=1,browse=1", "--users", "3")


@pytest.fixture(scope="module")
def told(system: System, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a load was told, which is in the file."""
    file = tmp_path_factory.mktemp("told") / "told.jsonl"
    ended = faultline(system.state.path, *LOAD, "--shape", "ramp", "--record", str(file), "--json")
    assert ended.returncode == 0, ended.stderr
    report = json.loads(ended.stdout)
    assert report["shape"] == "ramp"
    orders = [counted for each in report["routes"] if "POST" in each["route"] for counted in each["outcomes"]]
    answered = sum(each["count"] for each in orders if each["outcome"]["status"] in {201, 402})
    assert len(read_acknowledged(file)) >= answered > 0
    return file


def verified(system: System, *arguments: str) -> tuple[int, dict[str, Any]]:
    ended = faultline(system.state.path, "verify", "--json", *arguments)
    return ended.returncode, json.loads(ended.stdout)


def test_each_acknowledged_order_exists_exactly_once(system: System, told: Path) -> None:
    code, report = verified(system, "--acknowledged", str(told))
    assert (code, report["ok"]) == (0, True)
    assert sum(report["counts"]["acknowledged"].values()) == len(read_acknowledged(told))


def test_every_invariant_is_a_line(system: System, told: Path) -> None:
    shown = faultline(system.state.path, "verify", "--acknowledged", str(told))
    assert shown.returncode == 0
    assert shown.stdout.count("\n ") >= len(INVARIANTS)
    assert f"All {len(INVARIANTS)} invariants hold." in shown.stdout


def test_a_promise_that_is_not_kept_is_told(system: System, told: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.jsonl"
    lost = {"order_id": "ord_lost", "user_id": "load-user-1", "idempotency_key": "k-lost", "status": "confirmed"}
    broken.write_text(told.read_text() + json.dumps(lost) + "\n")
    code, report = verified(system, "--acknowledged", str(broken))
    assert code == 1
    violations = [each for checked in report["checked"] for each in checked["violations"]]
    assert {(each["invariant"], each["subject"]) for each in violations} == {
        ("acknowledged-order-exists", "ord_lost"),
        ("acknowledged-key-is-one-order", "ord_lost"),
    }
    shown = faultline(system.state.path, "verify", "--acknowledged", str(broken)).stdout
    assert "acknowledged-order-exists: Every acknowledged order exists and is its user's." in shown
    assert "ord_lost" in shown


def test_more_users_than_there_are_keys_are_refused(system: System) -> None:
    ended = faultline(system.state.path, "load", "--users", "21", "--duration", "1")
    assert (ended.returncode, ended.stdout) == (os.EX_USAGE, "")
    assert "--users: 21, but there are only 20 keys" in ended.stderr


def test_status_shows_how_late_each_event_loop_is(system: System) -> None:
    processes = json.loads(faultline(system.state.path, "status", "--json").stdout)["processes"]
    lags = {each["service"]: each["event_loop_lag_s"] for each in processes}
    assert set(SERVICES) < set(lags)
    assert all(lag is not None and lag >= 0 for lag in lags.values())


def test_logs_of_a_trace_are_of_that_trace_alone(system: System) -> None:
    answer = shopper(system).check_out()
    lines = faultline(system.state.path, "logs", "--trace", answer.trace_id, "--json").stdout.splitlines()
    assert {json.loads(each)["trace_id"] for each in lines} == {answer.trace_id}


@pytest.fixture(scope="module")
def bought(system: System, traces: Traces) -> Trace:
    """A checkout's trace, all of which has arrived."""
    return traces.whole(shopper(system).check_out().trace_id, *SERVICES)


def test_a_trace_in_json_is_what_the_query_api_answers(system: System, bought: Trace) -> None:
    def check() -> None:
        ended = faultline(system.state.path, "trace", bought.trace_id, "--json")
        assert ended.returncode == 0, ended.stderr
        told = json.loads(ended.stdout)["data"]
        assert {each["spanID"] for each in told[0]["spans"]} >= {each.span_id for each in bought.spans}
        assert told == Api(system.query_url).get(f"/api/traces/{bought.trace_id}").json()["data"]

    eventually(check)


def test_a_trace_as_a_page_has_every_span_and_the_log_lines(system: System, bought: Trace, tmp_path: Path) -> None:
    file = tmp_path.resolve() / "trace.html"
    ended = faultline(system.state.path, "trace", bought.trace_id, "--html", str(file))
    assert (ended.returncode, ended.stdout.strip()) == (0, str(file)), ended.stderr
    page = file.read_text("utf-8")
    assert bought.trace_id in page
    assert [each.operation for each in bought.spans if each.operation not in page] == []
    logged = faultline(system.state.path, "logs", "--trace", bought.trace_id, "--json").stdout.splitlines()
    assert logged
    assert [message for each in logged if (message := json.loads(each)["message"]) not in page] == []


def test_a_page_that_cannot_be_written_is_told(system: System, bought: Trace, tmp_path: Path) -> None:
    file = tmp_path / "no-such-folder" / "trace.html"
    ended = faultline(system.state.path, "trace", bought.trace_id, "--html", str(file))
    assert (ended.returncode != 0, ended.stdout) == (True, "")
    assert f"{file}: No such file or directory" in ended.stderr

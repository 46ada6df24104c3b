"""Alertmanager's own tool takes the configuration; the real one delivers to our receiver, and silences what it should."""

import json
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from observability.stack.alertmanager import Receiver, render
from observability.stack.generators import FOLDER
from observability.stack.objectives import load_all
from tests.backends.stack.tools import LIMIT_S, check, tool
from tests.integration.chassis.ports import free_port
from tests.unit.alerting.running import Running, running, settings_with_token
from tests.waiting import eventually

PATIENCE_S = 60.0


def config(profile: str, folder: Path, port: int = 8902) -> Path:
    slo = load_all()
    receiver = Receiver(f"http://127.0.0.1:{port}/notifications", str(folder / "token"))
    file = folder / f"alertmanager.{profile}.yml"
    file.write_text(render(slo, slo.profiles[profile], receiver))  # type: ignore[index]  # a name of the file's own
    return file


@pytest.mark.parametrize("profile", load_all().profiles)
def test_alertmanager_takes_the_configuration(profile: str, tmp_path: Path) -> None:
    said = check("amtool", "check-config", config(profile, tmp_path))
    assert "SUCCESS" in said
    assert "5 inhibit rules" in said


def test_alertmanager_takes_that_of_the_containers() -> None:
    assert "SUCCESS" in check("amtool", "check-config", FOLDER / "alertmanager" / "alertmanager.yml")


@contextmanager
def alertmanager(file: Path, folder: Path) -> Iterator[str]:
    """The address of a real one."""
    port = free_port()
    arguments = [
        tool("alertmanager"),
        f"--config.file={file}",
        f"--storage.path={folder / 'alertmanager'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
        "--log.level=error",
    ]
    with subprocess.Popen(arguments) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            eventually(lambda: _answers(f"{url}/-/ready"), PATIENCE_S)
            yield url
        finally:
            process.terminate()
            process.wait(timeout=PATIENCE_S)


def _answers(url: str) -> None:
    try:
        urllib.request.urlopen(url, timeout=5).close()
    except OSError as exc:
        raise AssertionError(str(exc)) from exc


def send(url: str, *alerts: dict[str, str], ended: bool = False) -> None:
    """As Prometheus does: what fires is said again and again, what ended has an end."""
    now = datetime.now(UTC)
    ends = now if ended else now + timedelta(minutes=5)
    body = [{"labels": each, "startsAt": _text(now), "endsAt": _text(ends)} for each in alerts]
    request = urllib.request.Request(
        f"{url}/api/v2/alerts", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    urllib.request.urlopen(request, timeout=10).close()


def _text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def told(receiver: Running) -> list[tuple[str, str, str]]:
    found: list[dict[str, Any]] = receiver.overview()["delivered"]
    return [(each["status"], each["alertname"], each["severity"]) for each in reversed(found)]


PAGE = {
    "alertname": "CheckoutAvailabilityBurnRate",
    "severity": "page",
    "slo": "checkout-availability",
    "journey": "checkout",
}
TICKET = {**PAGE, "severity": "ticket"}
DOWN = {"alertname": "TargetDown", "severity": "page", "service": "payments", "callee": "payments"}
BREAKER = {"alertname": "CircuitBreakerOpenTooLong", "severity": "ticket", "service": "orders", "callee": "payments"}
ANOTHER = {**BREAKER, "service": "gateway", "callee": "inventory"}
WATCHDOG = {"alertname": "Watchdog", "severity": "none"}


@pytest.mark.timeout(LIMIT_S)
def test_the_real_one_delivers_what_nothing_silences(tmp_path: Path) -> None:
    tool("alertmanager")
    with (
        running(settings_with_token(tmp_path)) as receiver,
        alertmanager(config("demo", tmp_path, receiver.http_port), tmp_path) as url,
    ):
        # What silences others comes first, as both at once is a race within Alertmanager.
        send(url, PAGE, DOWN, WATCHDOG)

        def causes_are_told() -> None:
            assert {PAGE["alertname"], DOWN["alertname"]} == {name for _, name, _ in told(receiver)}
            assert receiver.overview()["watchdog_heard_at"]

        eventually(causes_are_told, PATIENCE_S)
        send(url, TICKET, BREAKER, ANOTHER)

        def the_other_is_told() -> None:
            assert ANOTHER in [each["labels"] for each in receiver.overview()["delivered"]]

        eventually(the_other_is_told, PATIENCE_S)
        told_of = [each["labels"] for each in receiver.overview()["delivered"]]
        assert BREAKER not in told_of
        assert TICKET not in told_of
        send(url, PAGE, ended=True)

        def resolved() -> None:
            assert ("resolved", "CheckoutAvailabilityBurnRate", "page") in told(receiver)
            assert ("firing", "CheckoutAvailabilityBurnRate", "ticket") in told(receiver)

        eventually(resolved, PATIENCE_S)
        assert 'result="accepted"} 0.0' not in receiver.admin("/metrics")

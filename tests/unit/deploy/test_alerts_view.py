"""What `faultline alerts` shows, and that it fits."""

from datetime import UTC, datetime
from typing import Any

import pytest

from deploy.cli.alerts_view import show

WINDOWS = ("10s", "30s", "1m", "2m", "6m", "24m", "72m")


def objective(slo: str, remaining: float | None, rate: float | None) -> dict[str, Any]:
    return {
        "slo": slo,
        "journey": slo.split("-", maxsplit=1)[0],
        "target": 0.995,
        "budget_remaining": remaining,
        "burn_rates": dict.fromkeys(WINDOWS, rate),
    }


def alert(name: str, severity: str, **more: Any) -> dict[str, Any]:
    return {
        "alertname": name,
        "severity": severity,
        "labels": {"alertname": name, "severity": severity, "service": "orders", "callee": "payments"},
        "summary": "orders has not reached payments for a while: its circuit breaker does not close",
        **more,
    }


AT = "2026-01-31T12:00:00.123Z"
FULL: dict[str, Any] = {
    "evaluator": "embedded",
    "profile": "demo",
    "objectives": [
        objective("checkout-availability", -89.9, 90.9),
        objective("browse-degraded", 0.871, 0.4),
        objective("checkout-pending", None, None),
    ],
    "alerts": [
        alert("Watchdog", "none", state="firing", since=AT, value=1, silenced=False),
        alert("BrowseAvailabilityBurnRate", "ticket", state="firing", since=AT, value=1, silenced=True),
        alert("CheckoutAvailabilityBurnRate", "page", state="firing", since=AT, value=1, silenced=False),
        alert("CircuitBreakerOpenTooLong", "ticket", state="pending", since="2026-01-31T12:00:00.123456789Z", value=1),
    ],
    "delivered": [
        alert("CheckoutAvailabilityBurnRate", "page", status=status, at=AT) for status in ("resolved", "firing") * 10
    ],
    "watchdog_heard_at": AT,
}
EMPTY: dict[str, Any] = {
    "evaluator": "prometheus",
    "profile": "production",
    "objectives": [],
    "alerts": [],
    "delivered": [],
    "problem": "Prometheus at http://127.0.0.1:9090 does not answer",
}


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    def of(found: dict[str, Any], columns: int) -> str:
        monkeypatch.setenv("COLUMNS", str(columns))
        show(found)
        return capsys.readouterr().out

    return of


@pytest.mark.parametrize("columns", [80, 120])
def test_tables_fit(shown: Any, columns: int) -> None:
    tables = shown(FULL, columns).split("\nEvaluated by")[0]
    assert max(map(len, tables.splitlines())) <= columns
    assert "…" not in tables.replace("… and 8 earlier ones", "")


def test_it_tells_budgets_burn_rates_and_alerts(shown: Any) -> None:
    rows = [line.split() for line in shown(FULL, 80).splitlines()]
    assert ["checkout-availability", "99.5%", "spent", "91x", *["91"] * 7] in rows
    assert ["browse-degraded", "99.5%", "87%", *["0.4"] * 7] in rows
    assert ["checkout-pending", "99.5%", "no", "requests", *["-"] * 7] in rows
    states = [row[0] for row in rows if row and row[0] in ("firing", "pending", "silenced")]
    assert states == ["firing", "silenced", "pending"]
    assert any(row[-3:] == ["orders", "→", "payments"] for row in rows)


def test_the_watchdog_is_no_alert_to_look_at(shown: Any) -> None:
    text = shown(FULL, 120)
    assert "Watchdog" not in text
    assert "The watchdog was heard" in text


def test_it_says_who_evaluates(shown: Any) -> None:
    assert "Evaluated by faultline-alerts itself" in shown(FULL, 80)
    assert "Evaluated by Prometheus; windows of production." in shown(EMPTY, 80)
    standing_in = shown({**FULL, "problem": "Prometheus at http://127.0.0.1:9090 takes nothing in"}, 80)
    assert "Evaluated by faultline-alerts itself, by its own scrapes, in Prometheus' place" in standing_in
    assert "9090 takes nothing in" in standing_in


@pytest.mark.parametrize(
    "at", ["2026-01-31T12:00:00Z", "2026-01-31T14:00:00.123456789+02:00", "2026-01-31T06:30:00.1-05:30"]
)
def test_a_time_may_be_of_any_zone(shown: Any, at: str) -> None:
    local = datetime(2026, 1, 31, 12, tzinfo=UTC).astimezone().strftime("%H:%M:%S")
    assert local in shown({**EMPTY, "delivered": [alert("NoTraffic", "page", status="firing", at=at)]}, 80)


def test_nothing_is_told_as_such(shown: Any) -> None:
    text = shown(EMPTY, 80)
    assert "Alerts: none is pending, none fires" in text
    assert "Delivered: nobody was told of anything" in text
    assert "Prometheus at http://127.0.0.1:9090 does not answer" in text


def test_what_others_wrote_drives_no_terminal(shown: Any) -> None:
    evil = alert("\x1b[31mRed", "page", status="firing", at=AT)
    assert "\x1b[31m" not in shown({**EMPTY, "delivered": [evil]}, 80)

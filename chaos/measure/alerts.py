"""What `faultline-alerts` tells: who evaluates, which alerts fire, and of what somebody was notified."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from chaos.measure.errors import AwayError
from chaos.measure.http import get_text
from chaos.measure.phases import Phases

FIRING: Final = "firing"
RESOLVED: Final = "resolved"

EVALUATORS: Final = {
    "prometheus": "Prometheus evaluates, Alertmanager tells",
    "embedded": "faultline-alerts evaluates and tells by itself",
    "": "nobody says who evaluates",
}
"""Who evaluates → for people."""

# More than it may take to answer for a Prometheus that does not.
_TIMEOUT_S: Final = 15.0


@dataclass(frozen=True)
class Alert:
    """By its name and its severity: `page`, `ticket`."""

    name: str
    severity: str

    def __str__(self) -> str:
        return f"{self.name} ({self.severity})"


@dataclass(frozen=True)
class Notification:
    """That an alert fires, or ended to (`resolved`), as the receiver got it `at_s` seconds after the epoch."""

    alert: Alert
    status: str
    at_s: float


@dataclass(frozen=True)
class Alerting:
    """How it is now. `evaluator`: `prometheus`, `embedded`, empty where nobody said; `delivered` is newest first.

    `heard`: the watchdog's notification came, as others would. `problem`: why it is not as it should be.
    """

    evaluator: str = ""
    heard: bool = False
    firing: tuple[Alert, ...] = ()
    delivered: tuple[Notification, ...] = ()
    problem: str = ""


@dataclass
class Told:
    """When a run's alert was delivered, and when its end was, in seconds since the run began; None: it was not.

    `alert` is empty where the run looked for none; `evaluator` is who evaluated when it was last looked at.
    """

    alert: str = ""
    evaluator: str = ""
    firing_s: float | None = None
    resolved_s: float | None = None

    def figures(self, phases: Phases) -> dict[str, float | None]:
        """From the fault's beginning until it was told of, and from its end until that was."""
        return {
            "time_to_detect_s": _after(self.firing_s, phases.fault_s),
            "time_to_resolve_s": _after(self.resolved_s, phases.lifted_s),
        }


class AlertReader:
    """Asks at `url`, which is `/api/alerts` of the process; empty for a system without one."""

    def __init__(self, url: str) -> None:
        self._url = url

    def read(self) -> Alerting:
        """How it is now. Raises AwayError, RefusedError."""
        if not self._url:
            raise AwayError("this system has no faultline-alerts: nobody evaluates, nobody is notified")
        text = get_text(self._url, _TIMEOUT_S)
        try:
            return _alerting(json.loads(text))
        except (ValueError, KeyError, TypeError, AttributeError) as exc:
            raise AwayError(f"{self._url} does not answer like faultline-alerts") from exc


def _alerting(found: Mapping[str, Any]) -> Alerting:
    return Alerting(
        evaluator=str(found["evaluator"]),
        heard=bool(found.get("watchdog_heard_at")),
        firing=tuple(_alert(each) for each in found["alerts"] if each["state"] == FIRING),
        delivered=tuple(_notifications(found)),
        problem=str(found.get("problem") or ""),
    )


def _notifications(found: Mapping[str, Any]) -> Iterator[Notification]:
    for each in found["delivered"]:
        yield Notification(_alert(each), str(each["status"]), datetime.fromisoformat(each["at"]).timestamp())


def _alert(found: Mapping[str, Any]) -> Alert:
    return Alert(str(found["alertname"]), str(found["severity"]))


def _after(moment_s: float | None, since_s: float | None) -> float | None:
    return None if moment_s is None or since_s is None else moment_s - since_s

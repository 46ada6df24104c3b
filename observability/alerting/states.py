"""What an alert is: inactive, pending while its condition lasts too short, firing. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

PENDING: Final = "pending"
FIRING: Final = "firing"
RESOLVED: Final = "resolved"

Labels = tuple[tuple[str, str], ...]
"""Sorted by name; `alertname` and `severity` among them."""


@dataclass(frozen=True)
class Condition:
    """An alert whose condition holds now. `lasting_s`: how long it must before it fires."""

    labels: Labels
    value: float
    lasting_s: float = 0.0


@dataclass(frozen=True)
class Alert:
    """One that is not inactive; times in seconds of a monotonic clock."""

    labels: Labels
    state: Literal["pending", "firing"]
    since_s: float
    value: float


@dataclass(frozen=True)
class Change:
    """An alert that began to fire, or ended to."""

    labels: Labels
    status: Literal["firing", "resolved"]
    since_s: float
    at_s: float


class States:
    """All alerts over time."""

    def __init__(self) -> None:
        self._alerts: dict[Labels, Alert] = {}

    @property
    def alerts(self) -> list[Alert]:
        return list(self._alerts.values())

    def update(self, now_s: float, conditions: Mapping[Labels, Condition]) -> list[Change]:
        """Takes what holds now, and nothing else does; gives what began or ended to fire."""
        ended = [each for labels, each in self._alerts.items() if labels not in conditions]
        for each in ended:
            del self._alerts[each.labels]
        changes = [Change(each.labels, RESOLVED, each.since_s, now_s) for each in ended if each.state == FIRING]
        for condition in conditions.values():
            changes += self._holds(now_s, condition)
        return changes

    def _holds(self, now_s: float, condition: Condition) -> list[Change]:
        before = self._alerts.get(condition.labels)
        since_s = before.since_s if before else now_s
        fires = now_s - since_s >= condition.lasting_s
        self._alerts[condition.labels] = Alert(condition.labels, FIRING if fires else PENDING, since_s, condition.value)
        if fires and (before is None or before.state == PENDING):
            return [Change(condition.labels, FIRING, since_s, now_s)]
        return []

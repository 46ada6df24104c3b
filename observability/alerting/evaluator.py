"""Evaluates `slo.yaml` over scrapes: which alerts are pending, fire, and are told of. Pure: time is given."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from observability.alerting.burning import Burning
from observability.alerting.counts import Counts, Scrape
from observability.alerting.notifications import WATCHDOG, Notification, rfc3339
from observability.alerting.states import FIRING, RESOLVED, Alert, Labels, States
from observability.alerting.symptoms import Symptoms
from observability.stack.inhibitions import inhibitions, silenced
from observability.stack.objectives import Slo
from observability.stack.profiles import Profile

Deliver = Callable[[Notification], None]


class Evaluator:
    """`deliver` is told when an alert that nothing silences begins to fire, and when one that was told of ends to."""

    def __init__(self, slo: Slo, profile: Profile, deliver: Deliver) -> None:
        self._slo, self._deliver = slo, deliver
        self._burning, self._symptoms = Burning(slo, profile), Symptoms(slo, profile)
        streams = (*self._burning.streams, *self._symptoms.streams)
        self.metrics = frozenset(each.series for stream in streams for each in stream.selections)
        self._counts, self._states = Counts(streams), States()
        self._inhibitions = inhibitions(slo)
        self._told: set[Labels] = set()
        self._epoch_s = 0.0
        self.tells_new = True
        """Whether it is told of what begins to fire; of the end of what was told it is in any case."""

    @property
    def owes(self) -> bool:
        """Whether it told of something whose end it has not told of yet."""
        return any(dict(each)["alertname"] != WATCHDOG for each in self._told)

    def observe(self, now_s: float, wall_s: float, scrapes: Sequence[Scrape]) -> None:
        """Takes one round of scrapes.

        `now_s` is of a monotonic clock, and all that lasts is measured by it. `wall_s` is the same moment in seconds since
        the epoch, which may be set back at any time: it is only shown.
        """
        self._epoch_s = wall_s - now_s
        self._counts.add(scrapes)
        self._burning.observe(now_s, self._counts.totals)
        found = [*self._burning.conditions(), *self._symptoms.conditions(now_s, self._counts.totals, scrapes)]
        changes = self._states.update(now_s, {each.labels: each for each in found})
        for change in changes:
            if change.status == RESOLVED and change.labels in self._told:
                self._told.discard(change.labels)
                self._tell(change.labels, RESOLVED, now_s, change.since_s)
        if self.tells_new:
            self._tell_firing(now_s)

    def objectives(self) -> list[dict[str, Any]]:
        return self._burning.figures()

    def alerts(self) -> list[dict[str, Any]]:
        """Pending and firing ones, as documents."""
        firing = self._firing_labels()
        return [self._document(each, firing) for each in self._states.alerts]

    def _tell_firing(self, now_s: float) -> None:
        firing = self._firing_labels()
        for each in self._states.alerts:
            if each.state != FIRING or each.labels in self._told:
                continue
            if not silenced(dict(each.labels), firing, self._inhibitions):
                self._told.add(each.labels)
                self._tell(each.labels, FIRING, now_s, each.since_s)

    def _firing_labels(self) -> list[Mapping[str, str]]:
        return [dict(each.labels) for each in self._states.alerts if each.state == FIRING]

    def _tell(self, labels: Labels, status: Any, now_s: float, since_s: float) -> None:
        ends_s = self._shown(now_s) if status == RESOLVED else None
        told = dict(labels)
        runbook = f"{self._slo.links.runbooks}/{told['alertname']}"
        at_s, starts_s = self._shown(now_s), self._shown(since_s)
        self._deliver(Notification(status, told, self._summary(told), runbook, at_s, starts_s, ends_s))

    def _shown(self, moment_s: float) -> float:
        """A moment of the monotonic clock in seconds since the epoch, as the wall's clock last had it."""
        return moment_s + self._epoch_s

    def _document(self, alert: Alert, firing: Sequence[Mapping[str, str]]) -> dict[str, Any]:
        labels = dict(alert.labels)
        return {
            "alertname": labels["alertname"],
            "state": alert.state,
            "severity": labels["severity"],
            "labels": labels,
            "since": rfc3339(self._shown(alert.since_s)),
            "value": alert.value,
            "summary": self._summary(labels),
            "silenced": alert.state == FIRING and silenced(labels, firing, self._inhibitions),
        }

    def _summary(self, labels: Mapping[str, str]) -> str:
        symptom = self._slo.symptoms.get(labels["alertname"])
        if symptom is None:
            journey, aspect = labels["slo"].split("-")
            return f"{journey}, {aspect}: the error budget burns too fast"
        return re.sub(r"\{(\w+)\}", lambda found: labels.get(found[1], ""), symptom.summary)

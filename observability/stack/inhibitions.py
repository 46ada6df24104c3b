"""Which alert silences which, said once, for Alertmanager and for us.

A silenced alert is still there; nobody is notified of it, as they know of its cause.
https://prometheus.io/docs/alerting/latest/configuration/#inhibit_rule
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from observability import semconv
from observability.stack.objectives import Slo
from observability.stack.symptoms import Down

ALERTNAME: Final = "alertname"
SEVERITY: Final = "severity"
_BACKEND: Final = "faultline-backend"
_SPANS: Final = semconv.TELEMETRY_SPANS.name

Labels = Mapping[str, str]


@dataclass(frozen=True)
class Inhibition:
    """A firing alert that matches `source` silences those that match `target`, where both have `equal` alike.

    A label that is missing counts as empty.
    """

    source: tuple[tuple[str, str], ...]
    target: tuple[tuple[str, str], ...]
    equal: tuple[str, ...] = ()

    def silences(self, source: Labels, target: Labels) -> bool:
        alike = all(source.get(name, "") == target.get(name, "") for name in self.equal)
        return alike and _matches(self.source, source) and _matches(self.target, target)


def inhibitions(slo: Slo) -> tuple[Inhibition, ...]:
    """A page silences its ticket; a dead service silences what others say of it, and itself."""
    down = [name for name, each in slo.symptoms.items() if isinstance(each, Down)]
    of_callees = [name for name, each in slo.symptoms.items() if "callee" in each.labels]
    of_itself = [name for name, each in slo.symptoms.items() if "service" in each.labels and name not in down]
    telemetry = [name for name, each in slo.symptoms.items() if getattr(each, "metric", "") == _SPANS]
    dead = ((ALERTNAME, "|".join(down)), (SEVERITY, "page"))
    return (
        Inhibition(((SEVERITY, "page"), ("slo", ".+")), ((SEVERITY, "ticket"), ("slo", ".+")), ("slo",)),
        Inhibition(dead, ((ALERTNAME, "|".join(down)), (SEVERITY, "ticket")), ("service",)),
        Inhibition(dead, ((ALERTNAME, "|".join(of_callees)),), ("callee",)),
        Inhibition(dead, ((ALERTNAME, "|".join(of_itself)),), ("service",)),
        Inhibition((*dead, ("service", _BACKEND)), ((ALERTNAME, "|".join(telemetry)),)),
    )


def silenced(alert: Labels, firing: Iterable[Labels], rules: Iterable[Inhibition]) -> bool:
    """Whether one of those that fire silences this one."""
    causes = [each for each in firing if each != alert]
    return any(rule.silences(source, alert) for rule in rules for source in causes)


def _matches(wanted: tuple[tuple[str, str], ...], labels: Labels) -> bool:
    return all(re.fullmatch(pattern, labels.get(name, "")) for name, pattern in wanted)

"""Makes Prometheus's rules from the objectives: one file for each profile.

Recorded:  faultline:slo_errors:ratio_rate<window>{slo, journey}   share of bad requests over a window
           faultline:slo_bad:increase<window>{slo, journey}        about how many there were in a long window
           faultline:slo_objective{slo, journey}                   the target
           faultline:slo_error_budget_remaining:ratio{slo, journey}   1: untouched, 0: spent, below: overspent
           faultline:slo_burn_rate:ratio{slo, journey}             how fast it burns over the fastest page's long window
Alerts:    one for each objective and severity, one for each symptom.

Multi-window, multi-burn-rate alerts: the Site Reliability Workbook, chapter 5, section 6.
https://prometheus.io/docs/prometheus/latest/configuration/recording_rules/
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import yaml

from observability.stack import objectives
from observability.stack.indicators import Indicator, all_requests, indicators
from observability.stack.objectives import Aspect, Slo, alert_name, summary_template
from observability.stack.profiles import BurnRate, Profile, Severity
from observability.stack.prometheus import promql
from observability.stack.symptoms import Always, Down, Symptom

_HEADER: Final = (
    "# Made from slo.yaml by observability/stack/prometheus/rules.py (`make stack`). Change those, not this.\n"
)
_SEVERITIES: Final[tuple[Severity, ...]] = ("page", "ticket")
_OVERVIEW: Final = "faultline-overview"
_GOOD: Final[Mapping[Aspect, str]] = {
    "availability": "good",
    "latency": "answered in time",
    "pending": "settled at once",
    "degraded": "answered from what is known now",
}
OBJECTIVE: Final = "faultline:slo_objective"
BUDGET_REMAINING: Final = "faultline:slo_error_budget_remaining:ratio"
BURN_RATE: Final = "faultline:slo_burn_rate:ratio"
NO_SEVERITY: Final = "none"
"""Of the watchdog, which nobody is to be woken by."""

Rule = dict[str, Any]
Group = dict[str, Any]


def files() -> Mapping[str, str]:
    """Text by name, relative to `observability/stack`."""
    slo = objectives.load_all()
    return {f"prometheus/rules.{name}.yml": render(slo, profile) for name, profile in slo.profiles.items()}


def render(slo: Slo, profile: Profile) -> str:
    """A file of rules."""
    return _HEADER + yaml.dump(document(slo, profile), Dumper=_Dumper, sort_keys=False, width=120, allow_unicode=True)


def document(slo: Slo, profile: Profile) -> dict[str, list[Group]]:
    """The file's content."""
    found = indicators(slo.objectives)
    alerts = _group("faultline-alerts", profile.evaluation_interval, _alerts(slo, profile, found))
    return {"groups": [*_recordings(slo, profile, found), alerts]}


def errors(window: str) -> str:
    """The name of the recorded share of bad requests over a window."""
    return f"faultline:slo_errors:ratio_rate{window}"


def bad(window: str) -> str:
    """The name of the recorded number of bad requests in a window."""
    return f"faultline:slo_bad:increase{window}"


def _group(name: str, interval: str, rules: Iterable[Rule]) -> Group:
    return {"name": name, "interval": interval, "rules": list(rules)}


def _labels(each: Indicator) -> dict[str, str]:
    return {"slo": each.slo, "journey": each.journey}


def _recorded(name: str, expression: str, each: Indicator) -> Rule:
    return {"record": name, "expr": expression, "labels": _labels(each)}


def _recordings(slo: Slo, profile: Profile, found: Sequence[Indicator]) -> Iterator[Group]:
    """A group for each window, as a long one is recorded seldomer."""
    long = {profile.length(row.long) for row in slo.burn_rates}
    fastest = profile.length(max(slo.burn_rates, key=lambda row: row.burn_rate).long)
    for window in (*profile.windows.values(), profile.period):
        rules = [_recorded(errors(window), promql.error_ratio(each, window), each) for each in found]
        if window in long:
            rules += [_recorded(bad(window), promql.bad_requests(each, window), each) for each in found]
        if window == fastest:
            rules += [_recorded(BURN_RATE, _burn_rate(each, window), each) for each in found]
        if window == profile.period:
            rules += _budgets(found, window)
        yield _group(f"faultline-slo-{window}", profile.record_interval(window), rules)


def _budgets(found: Sequence[Indicator], period: str) -> Iterator[Rule]:
    for each in found:
        yield _recorded(OBJECTIVE, f"vector({each.goal.target:g})", each)
        yield _recorded(BUDGET_REMAINING, f"1 - {_burn_rate(each, period)}", each)


def _burn_rate(each: Indicator, window: str) -> str:
    return f'{errors(window)}{{slo="{each.slo}"}} / {each.goal.budget:g}'


def _alerts(slo: Slo, profile: Profile, found: Sequence[Indicator]) -> Iterator[Rule]:
    for each in found:
        for severity in _SEVERITIES:
            if rows := [row for row in slo.burn_rates if row.severity == severity]:
                yield _burn_alert(slo, profile, each, severity, rows)
    for name, symptom in slo.symptoms.items():
        yield from _symptom_alerts(slo, profile, name, symptom)


def _burn_alert(slo: Slo, profile: Profile, each: Indicator, severity: Severity, rows: Sequence[BurnRate]) -> Rule:
    name, of_it = alert_name(each.journey, each.aspect), f'{{slo="{each.slo}"}}'

    def burns(row: BurnRate) -> str:
        long, short = profile.length(row.long), profile.length(row.short)
        threshold = f"{row.burn_rate:g} * {each.goal.budget:g}"
        return (
            f"({errors(long)}{of_it} > {threshold} and {errors(short)}{of_it} > {threshold}"
            f" and {bad(long)}{of_it} >= {slo.least_bad})"
        )

    described = slo.objectives[each.journey].description
    return {
        "alert": name,
        "expr": "\nor\n".join(map(burns, rows)),
        "labels": {"severity": severity},
        "annotations": {
            "summary": f"{each.journey}, {each.aspect}: the error budget burns too fast",
            "description": f"{described} {_percent(each.goal.target)} of requests should be {_GOOD[each.aspect]};"
            f" {{{{ $value | humanizePercentage }}}} are not, and {_percent(each.goal.budget)} may be.",
            **_links(slo, name, _OVERVIEW),
        },
    }


def _percent(share: float) -> str:
    return f"{100 * share:.10g}%"


def _symptom_alerts(slo: Slo, profile: Profile, name: str, symptom: Symptom) -> Iterator[Rule]:
    if isinstance(symptom, Down):
        # Under both names: as the one that is away, and as the callee that others complain about.
        for severity in _SEVERITIES:
            labels = {"severity": severity, "callee": "{{ $labels.service }}"}
            yield _symptom_alert(slo, profile, name, symptom, promql.down(severity), labels)
        return
    severity_of = NO_SEVERITY if isinstance(symptom, Always) else symptom.severity
    expression = promql.symptom(symptom, profile, all_requests(slo.objectives))
    yield _symptom_alert(slo, profile, name, symptom, expression, {"severity": severity_of})


def _symptom_alert(
    slo: Slo, profile: Profile, name: str, symptom: Symptom, expression: str, labels: Mapping[str, str]
) -> Rule:
    lasting = {"for": profile.length(symptom.lasting)} if symptom.lasting else {}
    return {
        "alert": name,
        "expr": expression,
        **lasting,
        "labels": dict(labels),
        "annotations": {
            "summary": summary_template(symptom.summary),
            "description": "The runbook says what it means, what to look at, and how to end it.",
            **_links(slo, name, symptom.dashboard),
        },
    }


def _links(slo: Slo, name: str, dashboard: str) -> dict[str, str]:
    return {
        "runbook_url": f"{slo.links.runbooks}/{name}",
        "dashboard_url": f"{slo.links.dashboards}/{dashboard}",
    }


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as such, and repeats nothing by reference."""

    def ignore_aliases(self, _data: object) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)

"""Writes the expressions of PromQL that the rules are made of.

Each is a sum over series that exist at 0 from a process's start (see `Instruments.zero`), so that a first error is an
increase; where there are none yet all the same, an empty sum is 0. A share of no requests is no value, and not 0/0.

https://prometheus.io/docs/prometheus/latest/querying/basics/
"""

import json
import re
from collections.abc import Sequence
from typing import Final

from observability import semconv
from observability.stack.indicators import Indicator, Selection, of_metric
from observability.stack.profiles import Profile
from observability.stack.symptoms import Always, Down, Gauge, Rate, Silent, Symptom, short_label

JOB: Final = "faultline"
_SPECIAL: Final = re.compile(r"[.+*?()|\[\]{}^$\\]")


def selector(selection: Selection) -> str:
    """`name{job="faultline",label="value",other=~"a|b"}`."""
    matchers = [f'job="{JOB}"', *(_matcher(name, pattern) for name, pattern in selection.labels)]
    return f"{selection.series}{{{','.join(matchers)}}}"


def _matcher(name: str, pattern: str) -> str:
    if _SPECIAL.search(pattern.replace("\\.", "")):
        return f"{name}=~{json.dumps(pattern)}"
    return f"{name}={json.dumps(pattern.replace(chr(92), ''))}"


def summed(function: str, selections: Sequence[Selection], window: str) -> str:
    """The sum of `rate` or `increase` over all the selections' series."""
    return f"sum({' or '.join(f'{function}({selector(each)}[{window}])' for each in selections)})"


def error_ratio(indicator: Indicator, window: str) -> str:
    """The share of bad requests over the window."""
    total = f"({summed('rate', indicator.total, window)} > 0)"
    if indicator.good:
        return f"clamp_min(1 - ({summed('rate', indicator.good, window)} or vector(0)) / {total}, 0)"
    return f"({summed('rate', indicator.bad, window)} or vector(0)) / {total}"


def bad_requests(indicator: Indicator, window: str) -> str:
    """About how many requests were bad in the window."""
    if indicator.good:
        good = f"({summed('increase', indicator.good, window)} or vector(0))"
        return f"clamp_min({summed('increase', indicator.total, window)} - {good}, 0)"
    return f"{summed('increase', indicator.bad, window)} or vector(0)"


def symptom(each: Symptom, profile: Profile, requests: Sequence[Selection]) -> str:
    """What is true while the symptom is there; `requests` are those that objectives count."""
    match each:
        case Gauge():
            above = f"{_by('max', each.by, selector(of_metric(each.declared, each.where)))} > {each.above:g}"
            return f"{above} and {_growing(each, profile)}" if each.over else above
        case Rate():
            series = f"rate({selector(of_metric(each.declared, each.where))}[{profile.length(each.over)}])"
            return f"{_by('sum', each.by, series)} > {each.above:g}"
        case Silent():
            window = profile.length(each.over)
            came = " or ".join(f"increase({selector(one)}[{window}])" for one in requests)
            return f"{_by('sum', (), came)} == 0"
        case Always():
            return "vector(1)"
        case Down():
            raise ValueError("one condition for each severity: see `down`")


def _growing(each: Gauge, profile: Profile) -> str:
    window = profile.length(each.over) if each.over else ""
    grown = " or ".join(f"increase({selector(of_metric(one, {}))}[{window}])" for one in each.counters)
    return f"{_by('sum', each.by, grown)} > 0"


def down(severity: str) -> str:
    """A service none of whose replicas, or one of whose replicas, cannot be scraped."""
    return f'{"max" if severity == "page" else "min"} by (service) (up{{job="{JOB}"}}) == 0'


def _by(function: str, attributes: Sequence[str], series: str) -> str:
    """An aggregation that keeps the service, and these attributes under their short names."""
    for each in attributes:
        series = f'label_replace({series}, "{short_label(each)}", "$1", "{semconv.prometheus_label(each)}", "(.*)")'
    return f"{function} by ({', '.join(['service', *map(short_label, attributes)])}) ({series})"

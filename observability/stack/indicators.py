"""What each objective counts: the series of bad (or good) requests and of all. Said once, for Prometheus and for us.

An indicator's ratio is bad / total over a window, both summed over all series that a selection matches, in all replicas.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from observability import semconv
from observability.semconv import Metric
from observability.stack.objectives import Aspect, Degraded, Goal, Latency, Objective, Objectives, Requests

EDGE: Final = "gateway"
"""The service that customers meet: what it tells of requests is what they see."""

_BAD_STATUS: Final = "408|425|429|5.."
_PENDING_STATUS: Final = "202"
_REQUESTS: Final = semconv.HTTP_SERVER_REQUEST_DURATION
_METHOD: Final = semconv.prometheus_label(semconv.HTTP_REQUEST_METHOD)
_ROUTE: Final = semconv.prometheus_label(semconv.HTTP_ROUTE)
_STATUS: Final = semconv.prometheus_label(semconv.HTTP_RESPONSE_STATUS_CODE)


@dataclass(frozen=True)
class Selection:
    """Series of one name whose labels, each as a whole, match regular expressions (RE2's and Python's common part)."""

    series: str
    labels: tuple[tuple[str, str], ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        return all(re.fullmatch(pattern, labels.get(name, "")) for name, pattern in self.labels)


@dataclass(frozen=True)
class Indicator:
    """One objective's counts: of all requests, and of the bad ones or, where those have no series, of the good ones."""

    slo: str
    journey: str
    aspect: Aspect
    goal: Goal
    total: tuple[Selection, ...]
    bad: tuple[Selection, ...] = ()
    good: tuple[Selection, ...] = ()


def indicators(objectives: Objectives) -> tuple[Indicator, ...]:
    """One for each goal of each journey, named `checkout-availability`."""
    return tuple(
        _indicator(journey, objective, aspect, goal)
        for journey, objective in objectives.items()
        for aspect, goal in objective.goals()
    )


def all_requests(objectives: Objectives) -> tuple[Selection, ...]:
    """The requests that any objective counts."""
    return requests([one for each in objectives.values() for one in each.requests])


def requests(routes: Sequence[Requests], suffix: str = "count", *further: tuple[str, str]) -> tuple[Selection, ...]:
    """The series that count requests of these routes at the edge; `further` labels narrow them."""
    ordered = sorted(routes, key=lambda each: each.method)
    return tuple(
        Selection(
            f"{_REQUESTS.prometheus_name}_{suffix}",
            (("service", EDGE), (_METHOD, method), (_ROUTE, any_of(each.route for each in group)), *further),
        )
        for method, group in groupby(ordered, key=lambda each: each.method)
    )


def of_metric(metric: Metric, where: Mapping[str, Sequence[str]], *further: tuple[str, str]) -> Selection:
    """The series of a counter or gauge whose attributes have one of these values."""
    labels = tuple((semconv.prometheus_label(name), any_of(values)) for name, values in where.items())
    return Selection(metric.prometheus_name, (*further, *labels))


def any_of(values: Iterator[str] | Sequence[str]) -> str:
    """A pattern for exactly these texts."""
    return "|".join(map(_escaped, values))


def _escaped(text: str) -> str:
    return re.sub(r"([\\.+*?()|\[\]{}^$])", r"\\\1", text)


def _indicator(journey: str, objective: Objective, aspect: Aspect, goal: Goal) -> Indicator:
    name, total = f"{journey}-{aspect}", requests(objective.requests)
    bad: tuple[Selection, ...]
    match goal:
        case Latency():
            within = ("le", _escaped(repr(goal.threshold_s)))
            return Indicator(name, journey, aspect, goal, total, good=requests(objective.requests, "bucket", within))
        case Degraded():
            known = {each.name: each for each in semconv.METRICS}[goal.metric]
            bad = (of_metric(known, goal.where, ("service", EDGE)),)
        case _:
            status = _BAD_STATUS if aspect == "availability" else _PENDING_STATUS
            bad = requests(objective.requests, "count", (_STATUS, status))
    return Indicator(name, journey, aspect, goal, total, bad=bad)

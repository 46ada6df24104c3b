"""A run as a row for each second: what was offered, what was good, how long it took, what went over the edge. Pure."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from typing import Final

from chaos.measure.edges import Edge, breaker_states, traffic
from chaos.measure.requests import Request, between, of_journey, quantile
from chaos.measure.samples import Sample
from chaos.measure.site import Site

_LEAST_APART_S: Final = 0.6


@dataclass(frozen=True)
class Second:
    """What was due in the second from `at_s` on. Latencies in seconds, None where nothing was due.

    `in_flight`: requests that were under way at its end. `calls` and `attempts` per second over the edge, `breakers`
    by edge, both from the sample that was taken in this second; None and empty where there is none.
    """

    at_s: int
    offered: int
    good: int
    checkouts: int
    good_checkouts: int
    p50_s: float | None
    p99_s: float | None
    in_flight: int
    calls: float | None
    attempts: float | None
    breakers: Mapping[str, str]


def timeline(requests: Sequence[Request], samples: Sequence[Sample], site: Site, edge: Edge) -> list[Second]:
    """From the first second to the last in which anything was due."""
    if not requests:
        return []
    flying = _Flying(requests)
    over_edge = _per_second(samples, site, edge)
    last = ceil(max(each.at_s for each in requests))
    return [_second(at_s, between(requests, at_s, at_s + 1), flying, over_edge.get(at_s)) for at_s in range(last)]


def _second(at_s: int, due: Sequence[Request], flying: "_Flying", seen: "_Seen | None") -> Second:
    checkouts = of_journey(due, "checkout")
    return Second(
        at_s=at_s,
        offered=len(due),
        good=sum(each.good for each in due),
        checkouts=len(checkouts),
        good_checkouts=sum(each.good for each in checkouts),
        p50_s=quantile(due, 0.50),
        p99_s=quantile(due, 0.99),
        in_flight=flying.at(at_s + 1),
        calls=seen.calls if seen else None,
        attempts=seen.attempts if seen else None,
        breakers=seen.breakers if seen else {},
    )


class _Flying:
    """How many requests were under way at a moment: begun by then, and not finished."""

    def __init__(self, requests: Sequence[Request]) -> None:
        self._begun = sorted(each.at_s for each in requests)
        self._done = sorted(each.done_s for each in requests)

    def at(self, at_s: float) -> int:
        return bisect_left(self._begun, at_s) - bisect_right(self._done, at_s)


@dataclass(frozen=True)
class _Seen:
    calls: float
    attempts: float
    breakers: Mapping[str, str]


def _per_second(samples: Sequence[Sample], site: Site, edge: Edge) -> dict[int, _Seen]:
    found = {}
    for before, after in pairwise(_regular(samples)):
        went, took_s = traffic((before, after), site, edge), max(after.at_s - before.at_s, 0.001)
        found[int(after.at_s)] = _Seen(went.calls / took_s, went.attempts / took_s, breaker_states(after, site))
    return found


def _regular(samples: Sequence[Sample]) -> list[Sample]:
    """Without those that were taken soon after another one: over a short time a rate says nothing."""
    kept: list[Sample] = []
    for each in samples:
        if not kept or each.at_s - kept[-1].at_s >= _LEAST_APART_S:
            kept.append(each)
    return kept

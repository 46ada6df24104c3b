"""What metrics say of one call edge: attempts, logical calls, failures, the breaker."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from chaos.measure.samples import Sample, increase
from chaos.measure.site import Site
from observability import semconv
from observability.exposition import Series

_ATTEMPTS = semconv.CALL_ATTEMPTS.prometheus_name
_CALLS = f"{semconv.CALL_DURATION.prometheus_name}_count"
_CALLEE = semconv.prometheus_label(semconv.CALLEE)
_OUTCOME = semconv.prometheus_label(semconv.OUTCOME)

_BREAKERS = semconv.BREAKER_STATES.prometheus_name
_CALL_BUCKETS = f"{semconv.CALL_DURATION.prometheus_name}_bucket"
_OPENINGS = semconv.BREAKER_TRANSITIONS.prometheus_name
_BREAKER_STATE = semconv.prometheus_label(semconv.BREAKER_STATE)

_UNSERVED = frozenset({"failure", "rejected", "degraded", "backpressure"})

OPEN = "open"
_FROM_BAD_TO_WORSE = ("closed", "half_open", OPEN)

WATCHED = frozenset({_ATTEMPTS, _CALLS, _CALL_BUCKETS, _BREAKERS, _OPENINGS})
"""The metrics that are read here."""


@dataclass(frozen=True)
class Edge:
    """Who calls whom, such as `orders/payments`."""

    caller: str
    callee: str

    @classmethod
    def parse(cls, text: str) -> "Edge":
        """Raises ValueError."""
        caller, slash, callee = text.partition("/")
        if not (caller and slash and callee):
            raise ValueError(f"{text!r} is not CALLER/CALLEE")
        return cls(caller, callee)

    def __str__(self) -> str:
        return f"{self.caller}/{self.callee}"


@dataclass(frozen=True)
class Traffic:
    """What went over an edge in a span of time."""

    calls: float
    attempts: float
    failed_attempts: float

    @property
    def amplification(self) -> float | None:
        """Attempts at the peer for each logical call; None without calls."""
        return self.attempts / self.calls if self.calls else None


def traffic(samples: Sequence[Sample], site: Site, edge: Edge) -> Traffic:
    """Attempts, as the caller's processes counted them: what never left (rejected by a policy) is no attempt."""
    of_caller = _only(samples, [each.name for each in site.of_service(edge.caller)])
    return Traffic(
        increase(of_caller, _of(_CALLS, edge.callee)),
        increase(
            of_caller, lambda series: _of(_ATTEMPTS, edge.callee)(series) and series.label(_OUTCOME) != "rejected"
        ),
        increase(of_caller, lambda series: _of(_ATTEMPTS, edge.callee)(series) and series.label(_OUTCOME) == "failure"),
    )


def unserved_call_s(samples: Sequence[Sample], site: Site, edge: Edge, share: float) -> float | None:
    """What `share` of the logical calls that the peer did not serve took at most, seconds; None without any.

    Those are calls that failed, were rejected or were answered by a fallback. The result is a bucket's upper bound.
    """
    of_caller = _only(samples, [each.name for each in site.of_service(edge.caller)])
    bounds = sorted({bound for each in of_caller for bound in _bounds(each, edge.callee)})
    counts = [increase(of_caller, _unserved_within(edge.callee, bound)) for bound in bounds]
    if not counts or not counts[-1]:
        return None
    return next(bound for bound, count in zip(bounds, counts, strict=True) if count >= share * counts[-1])


def _bounds(sample: Sample, callee: str) -> Iterator[float]:
    chosen = _of(_CALL_BUCKETS, callee)
    return (float(series.label("le")) for metrics in sample.metrics.values() for series in metrics if chosen(series))


def _unserved_within(callee: str, bound: float) -> Callable[[Series], bool]:
    chosen = _of(_CALL_BUCKETS, callee)
    return lambda series: chosen(series) and series.label(_OUTCOME) in _UNSERVED and float(series.label("le")) == bound


def _of(name: str, callee: str) -> Callable[[Series], bool]:
    return lambda series: series.name == name and series.label(_CALLEE) == callee


def _only(samples: Sequence[Sample], instances: Sequence[str]) -> list[Sample]:
    return [
        Sample(
            each.at_s, {name: metrics for name, metrics in each.metrics.items() if name in instances}, each.processes
        )
        for each in samples
    ]


def breaker_states(sample: Sample, site: Site) -> dict[str, str]:
    """Edge → the state of its circuit breaker, the worst of the caller's replicas; without edges that have none."""
    states: dict[str, str] = {}
    for instance, samples in sample.metrics.items():
        caller = site.service_of(instance)
        for series, value in samples.items():
            if series.name == _BREAKERS and value:
                edge, state = f"{caller}/{series.label(_CALLEE)}", series.label(_BREAKER_STATE)
                states[edge] = max(states.get(edge, state), state, key=_badness)
    return states


def breaker_openings(samples: Sequence[Sample], site: Site, edge: Edge) -> float:
    """How often the edge's circuit breaker has opened, in all replicas of the caller."""
    return increase(
        _only(samples, [each.name for each in site.of_service(edge.caller)]),
        lambda series: _of(_OPENINGS, edge.callee)(series) and series.label(_BREAKER_STATE) == OPEN,
    )


def _badness(state: str) -> int:
    return _FROM_BAD_TO_WORSE.index(state) if state in _FROM_BAD_TO_WORSE else -1

"""What a run found, as data."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from chaos.load.outcomes import Outcome, OutcomeClass


@dataclass(frozen=True)
class OutcomeCount:
    """How often an outcome was seen on a route, and the trace of the latest (None where no answer named one)."""

    outcome: Outcome
    count: int
    example_trace_id: str | None


@dataclass(frozen=True)
class RouteReport:
    """One route, named `METHOD /template`.

    Latencies are seconds, from the moment the request *should* have been sent until its answer was read or given up;
    failures count like the rest. None: nothing was sent yet.
    """

    route: str
    count: int  # finished or not sent
    rate: float  # answers of any class per second, over the time in which requests were due
    outcomes: tuple[OutcomeCount, ...]  # the best class first, then by status
    p50_s: float | None
    p95_s: float | None
    p99_s: float | None
    max_s: float | None


@dataclass(frozen=True)
class GeneratorReport:
    """How well the generator itself kept up. Lag: from the moment a request should have been sent until it was."""

    lag_p50_s: float | None
    lag_p99_s: float | None
    lag_max_s: float | None
    not_sent: int
    cpu_share: float  # of one core, by the whole process that the generator runs in
    saturated: bool
    said: str  # one sentence when saturated, else empty


@dataclass(frozen=True)
class LoadReport:
    """A run, finished or (`finished=False`) as far as it is."""

    seed: int
    run_id: str
    shape: str
    planned: int
    duration_s: float  # planned
    elapsed_s: float
    sent: int
    in_flight: int
    finished: bool
    stopped_early: bool
    routes: tuple[RouteReport, ...]  # by name
    generator: GeneratorReport

    def outcomes(self) -> Iterator[tuple[str, OutcomeCount]]:
        """Every outcome with its route."""
        return ((route.route, counted) for route in self.routes for counted in route.outcomes)

    def count(self, outcome_class: OutcomeClass) -> int:
        """How many requests ended in this class."""
        return sum(counted.count for _, counted in self.outcomes() if counted.outcome.outcome_class is outcome_class)

    def as_dict(self) -> dict[str, Any]:
        """For JSON: the fields by their names."""
        return asdict(self)

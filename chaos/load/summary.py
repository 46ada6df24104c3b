"""Counts what came back, request by request, and makes the report of it at any moment."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from chaos.load.histogram import Histogram
from chaos.load.outcomes import Outcome, OutcomeClass
from chaos.load.plan import LoadPlan
from chaos.load.report import LoadReport, OutcomeCount, RouteReport
from chaos.load.saturation import Saturation

_ORDER = list(OutcomeClass)


@dataclass
class _Route:
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    examples: dict[Outcome, str] = field(default_factory=dict)
    latency: Histogram = field(default_factory=Histogram)

    def report(self, name: str, due_s: float) -> RouteReport:
        count, took = self.outcomes.total(), self.latency
        p50, p95, p99 = (took.percentile(share) for share in (0.50, 0.95, 0.99))
        longest = took.max if took.count else None
        return RouteReport(name, count, took.count / due_s if due_s else 0.0, self._counts(), p50, p95, p99, longest)

    def _counts(self) -> tuple[OutcomeCount, ...]:
        found = sorted(self.outcomes, key=lambda outcome: (_ORDER.index(outcome.outcome_class), outcome))
        return tuple(OutcomeCount(each, self.outcomes[each], self.examples.get(each)) for each in found)


class Summary:
    """The counts of one run."""

    def __init__(self, plan: LoadPlan, max_in_flight: int) -> None:
        self._plan = plan
        self._routes: defaultdict[str, _Route] = defaultdict(_Route)
        self._saturation = Saturation(max_in_flight)
        self.sent = 0
        self.in_flight = 0

    def started(self, lag_s: float) -> None:
        """A request goes out, `lag_s` later than it should have."""
        self.sent += 1
        self.in_flight += 1
        self._saturation.sent(lag_s)

    def finished(self, route: str, outcome: Outcome, latency_s: float, trace_id: str | None) -> None:
        """A request that was `started` got its answer, or none."""
        self.in_flight -= 1
        self._routes[route].latency.record(latency_s)
        self._count(route, outcome)
        if trace_id is not None:
            self._routes[route].examples[outcome] = trace_id

    def not_sent(self, route: str, outcome: Outcome) -> None:
        """A request was not sent, as too many were in flight."""
        self._saturation.not_sent()
        self._count(route, outcome)

    def _count(self, route: str, outcome: Outcome) -> None:
        self._routes[route].outcomes[outcome] += 1

    def report(self, elapsed_s: float, *, finished: bool) -> LoadReport:
        """The report at this moment, `elapsed_s` after the start."""
        plan, due_s, generator = self._plan, min(elapsed_s, self._plan.duration_s), self._saturation.report(elapsed_s)
        return LoadReport(
            seed=plan.seed,
            run_id=plan.run_id,
            shape=plan.shape,
            planned=plan.count,
            duration_s=plan.duration_s,
            elapsed_s=elapsed_s,
            sent=self.sent,
            in_flight=self.in_flight,
            finished=finished,
            stopped_early=finished and self.sent + generator.not_sent < plan.count,
            routes=tuple(self._routes[name].report(name, due_s) for name in sorted(self._routes)),
            generator=generator,
        )

"""The figures of one run by which policies are compared. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from chaos.measure.edges import Edge, breaker_openings, traffic
from chaos.measure.phases import FAULT, WHOLE, PhaseError, Phases
from chaos.measure.requests import Request, availability, between, of_journey, quantile
from chaos.measure.samples import Sample, around
from chaos.measure.site import Site
from observability.stack.objectives import Objectives

SUSTAINED_S = 3.0
"""So long an objective must be kept for the system to count as recovered."""


@dataclass(frozen=True)
class Figures:
    """While the fault was there, unless a field says otherwise; None: nothing to measure it by, or it never came.

    Goodput in good requests per second, latencies and times in seconds. `time_to_open` counts from the fault's
    beginning, `time_to_recover` from its end; both are told to the second that samples are apart.
    """

    goodput: float | None
    checkout_availability: float | None
    browse_availability: float | None
    checkout_p50_s: float | None
    checkout_p99_s: float | None
    browse_p99_s: float | None
    amplification: float | None  # of the whole run: attempts at the peer for each logical call
    attempts_per_s: float | None
    time_to_open_s: float | None
    time_to_recover_s: float | None


def figures(
    requests: Sequence[Request],
    samples: Sequence[Sample],
    phases: Phases,
    site: Site,
    edge: Edge,
    objectives: Objectives,
) -> Figures:
    """The figures of a run; without those of a fault if there was none."""
    whole = traffic(around(samples, *phases.span(WHOLE)), site, edge)
    try:
        start_s, end_s = phases.span(FAULT)
    except PhaseError:
        return Figures(None, None, None, None, None, None, whole.amplification, None, None, None)
    due = between(requests, start_s, end_s)
    checkouts, browsing = of_journey(due, "checkout"), of_journey(due, "browse")
    lasted_s = max(min(end_s, max((each.at_s for each in due), default=start_s)) - start_s, 0.001)
    return Figures(
        goodput=sum(each.good for each in due) / lasted_s if due else None,
        checkout_availability=availability(checkouts),
        browse_availability=availability(browsing),
        checkout_p50_s=quantile(checkouts, 0.50),
        checkout_p99_s=quantile(checkouts, 0.99),
        browse_p99_s=quantile(browsing, 0.99),
        amplification=whole.amplification,
        attempts_per_s=traffic(around(samples, start_s, end_s), site, edge).attempts / lasted_s,
        time_to_open_s=time_to_open(samples, start_s, site, edge),
        time_to_recover_s=time_to_recover(requests, phases, objectives),
    )


def time_to_open(samples: Sequence[Sample], fault_s: float, site: Site, edge: Edge) -> float | None:
    """From the fault's beginning to the first sample by which the edge's breaker has opened; None if it has not."""
    seen = around(samples, fault_s, inf)
    for index, each in enumerate(seen):
        if each.at_s > fault_s and breaker_openings(seen[max(0, index - 1) : index + 1], site, edge):
            return each.at_s - fault_s
    return None


def time_to_recover(
    requests: Sequence[Request], phases: Phases, objectives: Objectives, journey: str = "checkout"
) -> float | None:
    """From the fault's end until the journey keeps its availability for `SUSTAINED_S`; None if it never does."""
    if phases.lifted_s is None:
        return None
    after = sorted((each for each in of_journey(requests, journey) if each.at_s >= phases.lifted_s), key=_due)
    target = objectives[journey].availability.target
    bad = [each.at_s for each in after if not each.good]
    last_s = after[-1].at_s if after else phases.lifted_s
    for since_s in (phases.lifted_s, *bad):
        window = [each for each in after if since_s <= each.at_s < since_s + SUSTAINED_S and each.at_s != since_s]
        share = availability(window)
        if share is not None and share >= target and last_s >= since_s + SUSTAINED_S:
            return since_s - phases.lifted_s
    return None


def _due(request: Request) -> float:
    return request.at_s

"""The figures of one run by which policies are compared. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from math import inf

from chaos.measure.edges import Edge, breaker_openings, traffic, unserved_call_s
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
    beginning, `time_to_recover` from when it was gone and its peer was ready again; both are as exact as samples are dense.
    `unserved_call_p99_s` is of the edge's calls that the peer did not serve, from when the breaker had opened.
    """

    goodput: float | None
    checkout_availability: float | None
    browse_availability: float | None
    checkout_p50_s: float | None
    checkout_p99_s: float | None
    browse_p99_s: float | None
    amplification: float | None  # of the whole run: attempts at the peer for each logical call
    fault_amplification: float | None  # while the fault was there
    attempts_per_s: float | None
    time_to_open_s: float | None
    unserved_call_p99_s: float | None
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
        nothing = dict.fromkeys(each.name for each in fields(Figures))
        return Figures(**nothing | {"amplification": whole.amplification})
    due = between(requests, start_s, end_s)
    checkouts, browsing = of_journey(due, "checkout"), of_journey(due, "browse")
    lasted_s = max(min(end_s, max((each.at_s for each in due), default=start_s)) - start_s, 0.001)
    during = traffic(around(samples, start_s, end_s), site, edge)
    opened_s = time_to_open(samples, start_s, site, edge)
    return Figures(
        goodput=sum(each.good for each in due) / lasted_s if due else None,
        checkout_availability=availability(checkouts),
        browse_availability=availability(browsing),
        checkout_p50_s=quantile(checkouts, 0.50),
        checkout_p99_s=quantile(checkouts, 0.99),
        browse_p99_s=quantile(browsing, 0.99),
        amplification=whole.amplification,
        fault_amplification=during.amplification,
        attempts_per_s=during.attempts / lasted_s,
        time_to_open_s=opened_s,
        unserved_call_p99_s=_unserved(samples, (start_s + opened_s, end_s), site, edge)
        if opened_s is not None
        else None,
        time_to_recover_s=time_to_recover(requests, back_s(samples, phases, site, edge.callee), objectives),
    )


def time_to_open(samples: Sequence[Sample], fault_s: float, site: Site, edge: Edge) -> float | None:
    """From the fault's beginning to the first sample by which the edge's breaker has opened; None if it has not."""
    seen = around(samples, fault_s, inf)
    for index, each in enumerate(seen):
        if each.at_s > fault_s and breaker_openings(seen[max(0, index - 1) : index + 1], site, edge):
            return each.at_s - fault_s
    return None


def _unserved(samples: Sequence[Sample], span: tuple[float, float], site: Site, edge: Edge) -> float | None:
    # Only samples from within: what the one before the breaker opened saw is what led to it.
    within = [each for each in samples if span[0] <= each.at_s <= span[1]]
    return unserved_call_s(within, site, edge, 0.99)


def back_s(samples: Sequence[Sample], phases: Phases, site: Site, callee: str) -> float | None:
    """When the fault was gone and the peer's processes were all seen ready again; None where that never came.

    Seconds since the run began. A peer that is no process, a database, is back when the fault is gone.
    """
    lifted_s, own = phases.lifted_s, [each.name for each in site.of_service(callee)]
    if lifted_s is None:
        return None
    if not own or not samples:
        return lifted_s
    after = [each for each in samples if each.at_s >= lifted_s]
    ready = (each.at_s for each in after if all(_is_ready(each, name) for name in own))
    found = next(ready, None)
    return lifted_s if after and found == after[0].at_s else found


def _is_ready(sample: Sample, instance: str) -> bool:
    return instance in sample.processes and sample.processes[instance].state == "ready"


def time_to_recover(
    requests: Sequence[Request], back_s: float | None, objectives: Objectives, journey: str = "checkout"
) -> float | None:
    """From `back_s` on until the journey keeps its availability for `SUSTAINED_S`; None if it never does.

    What is due between the fault's end and the peer's return is not counted: it could not have been served.
    """
    if back_s is None:
        return None
    after = sorted((each for each in of_journey(requests, journey) if each.at_s >= back_s), key=_due)
    target = objectives[journey].availability.target
    bad = [each.at_s for each in after if not each.good]
    last_s = after[-1].at_s if after else back_s
    for since_s in (back_s, *bad):
        window = [each for each in after if since_s <= each.at_s < since_s + SUSTAINED_S and each.at_s != since_s]
        share = availability(window)
        if share is not None and share >= target and last_s >= since_s + SUSTAINED_S:
            return since_s - back_s
    return None


def _due(request: Request) -> float:
    return request.at_s

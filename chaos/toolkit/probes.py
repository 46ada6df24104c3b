"""Chaos Toolkit's probes: what an experiment claims about the system, each with the figure that it rests on.

A claim about the run is recorded as an assertion of the session and told by its return value; when it is broken, the
experiment goes on, so that all are heard, and the hypothesis probe `broken_assertions` tells how many there were.
Phases are `before`, `fault`, `after` and `whole`; journeys `browse`, `checkout` and `all`.
"""

from collections.abc import Mapping
from typing import Any, Final

from chaos.measure.edges import Edge, breaker_states, traffic
from chaos.measure.figures import back_s, time_to_open, time_to_recover
from chaos.measure.phases import FAULT, WHOLE
from chaos.measure.requests import availability, between, of_journey, quantile
from chaos.measure.samples import ProcessSeen, around
from chaos.measure.site import Site
from chaos.measure.traces import JaegerTrace, spans
from chaos.toolkit import session
from chaos.toolkit.assertions import Assertion, RestsOn
from chaos.toolkit.session import Session
from observability.semconv import FAULT_ID

_SAMPLE: Final = 40  # traces that an assertion reads
_POLL_S: Final = 0.5

Answer = dict[str, Any]

# --- steady state -----------------------------------------------------------------------------------------------------


def processes_not_ready(within_s: float = 5.0) -> int:
    """How many are not ready, if not all become so in that time; to be tolerated as 0."""
    running = session.current()
    give_up_s = running.now_s + float(within_s)
    while waiting := _waiting(running):
        if running.now_s > give_up_s:
            running.tell(f"not ready: {', '.join(sorted(waiting))}")
            break
        running.wait(_POLL_S)
    return len(waiting)


def _waiting(running: Session) -> list[str]:
    sample = running.sample()
    return not_ready(sample.processes if sample else {}, running.site)


def not_ready(seen: Mapping[str, ProcessSeen], site: Site) -> list[str]:
    """The instances that are not ready, or of which nothing was told.

    A process on no call edge may be missing: not every system runs a load of its own.
    """
    on_edges = {service for edge in site.edges for service in edge.split("/")}
    needed = [each.name for each in site.target.instances if each.service in on_edges]
    ready = {name for name, process in seen.items() if process.state == "ready"}
    return [name for name in dict.fromkeys([*needed, *seen]) if name not in ready]


def availability_now(journey: str, over_s: float) -> float:
    """The share of good requests among those finished in the last `over_s` seconds of load; 0 without any."""
    running = session.current()
    requests = running.load.finished()
    until_s = running.now_s if running.phases.ended_s is None else running.phases.ended_s
    finished = [each for each in of_journey(requests, journey) if until_s - float(over_s) <= each.done_s <= until_s]
    return availability(finished) or 0.0


def broken_assertions() -> int:
    """How many claims of this run were broken so far; to be tolerated as 0."""
    return sum(not each.holds for each in session.current().assertions)


# --- claims about the load --------------------------------------------------------------------------------------------


def available(journey: str, at_least: float, during: str = WHOLE, name: str = "") -> Answer:
    """The share of good requests is so high at least."""
    running = session.current()
    share = availability(between(of_journey(running.requests, journey), *running.phases.span(during)))
    said = f"{_percent(share)} of {journey} good {_when(during)}, at least {_percent(at_least)}"
    return _claim(running, name or f"{journey} available", share is not None and share >= at_least, said, "load")


def quick(journey: str, at_most_s: float, share: float = 0.99, during: str = WHOLE, name: str = "") -> Answer:
    """So large a share of requests, failed ones included, is answered in that time."""
    running = session.current()
    found = quantile(between(of_journey(running.requests, journey), *running.phases.span(during)), share)
    said = f"p{share * 100:g} of {journey} {_seconds(found)} {_when(during)}, at most {_seconds(at_most_s)}"
    return _claim(running, name or f"{journey} quick", found is not None and found <= at_most_s, said, "load")


def recovers(journey: str, within_s: float, name: str = "") -> Answer:
    """The journey keeps its availability again so soon after the fault was lifted and its peer was ready again."""
    running = session.current()
    since_s = back_s(running.samples, running.phases, running.site, running.options.edge.callee)
    found = time_to_recover(running.requests, since_s, running.objectives, journey)
    when = "did not recover" if found is None else f"recovered {found:.1f} s after its peer was back"
    said = f"{journey} {when}, within {within_s:g} s"
    return _claim(running, name or f"{journey} recovers", found is not None and found <= within_s, said, "load")


# --- claims about metrics ---------------------------------------------------------------------------------------------


def amplified(edge: str, at_most: float, during: str = WHOLE, name: str = "") -> Answer:
    """Attempts at the peer for each logical call: so many at most."""
    running = session.current()
    went = traffic(around(running.samples, *running.phases.span(during)), running.site, Edge.parse(edge))
    found = went.amplification
    said = f"{edge}: {_number(found)} attempts per call {_when(during)} ({went.calls:g} calls), at most {at_most:g}"
    return _claim(running, name or f"{edge} amplification", found is not None and found <= at_most, said, "metrics")


def breaker_opens(edge: str, within_s: float, name: str = "") -> Answer:
    """The edge's circuit breaker is seen open so soon after the fault began."""
    running = session.current()
    begun_s, _ = running.phases.span("fault")
    found = time_to_open(running.samples, begun_s, running.site, Edge.parse(edge))
    said = f"{edge}: breaker {'never open' if found is None else f'open after {found:.1f} s'}, within {within_s:g} s"
    return _claim(running, name or f"{edge} breaker opens", found is not None and found <= within_s, said, "metrics")


def breaker_closed(edge: str, name: str = "") -> Answer:
    """The edge's circuit breaker is closed in the last sample."""
    running = session.current()
    found = breaker_states(running.samples[-1], running.site).get(edge, "not measured")
    return _claim(running, name or f"{edge} breaker closed", found == "closed", f"{edge}: breaker {found}", "metrics")


# --- claims about traces ----------------------------------------------------------------------------------------------


def traces_show(  # noqa: D417 -- `name` is every probe's
    span: dict[str, str],
    at_least: float,
    outcome: str,
    journey: str = "checkout",
    during: str = "fault",
    name: str = "",
) -> Answer:
    """So large a share of the traces of those requests has such a span; a sample of them is read.

    Args:
        span: what it is like: `service`, `operation` (its beginning), `event`, `failed` (`"true"`), or any tag's name.
        at_least: a share.
        outcome: `good`, `bad` or `all`.
        journey: whose requests.
        during: which were due in this phase.
    """
    running = session.current()
    traces = _sampled(running, journey, outcome, during)
    having = sum(any(each.matches(span) for each in spans(trace)) for trace in traces.values())
    like = ", ".join(f"{key} {value}" for key, value in span.items())
    said = f"{having} of {len(traces)} traces of {outcome} {journey} {_when(during)} have a span with {like}"
    return _claim_share(running, name or "traces show it", having, len(traces), at_least, said)


def traces_name_the_fault(at_least: float, outcome: str, journey: str = "checkout", name: str = "") -> Answer:
    """So large a share of the traces of those requests has a span with this run's `fault.id`; an example is told."""
    running = session.current()
    traces, wanted = _sampled(running, journey, outcome, FAULT), {FAULT_ID: "|".join(running.fault_ids)}
    naming = {
        trace_id: f"{each.service} {each.operation} names {each.tags[FAULT_ID]}"
        for trace_id, trace in traces.items()
        for each in spans(trace)
        if each.matches(wanted)
    }
    example = next((f"; in {trace_id} {said}" for trace_id, said in naming.items()), "")
    said = f"{len(naming)} of {len(traces)} traces of {outcome} {journey} {_when(FAULT)} name the fault{example}"
    return _claim_share(running, name or "traces name the fault", len(naming), len(traces), at_least, said)


def _sampled(running: Session, journey: str, outcome: str, during: str) -> Mapping[str, JaegerTrace]:
    """Some traces, spread over the phase, by their ids."""
    due = between(of_journey(running.requests, journey), *running.phases.span(during))
    wanted = [each for each in due if each.trace_id and outcome in ("all", "good" if each.good else "bad")]
    step = max(1, len(wanted) // _SAMPLE)
    return running.traces.read([each.trace_id for each in wanted[::step]][:_SAMPLE])


def _claim_share(running: Session, name: str, having: int, of: int, at_least: float, said: str) -> Answer:
    holds = bool(of) and having / of >= at_least
    return _claim(running, name, holds, f"{said}, at least {_percent(at_least)}", "traces")


# --- claims about the stores ------------------------------------------------------------------------------------------


def invariants_hold(name: str = "") -> Answer:
    """No order lost, nothing sold or charged twice: the checker's verdict once all orders are settled."""
    running = session.current()
    report = running.invariants.check(running.load.finished(), running.load.users)
    orders = sum(report.counts["orders"].values())
    broken = ", ".join(f"{each.invariant} ({each.subject})" for each in report.violations[:3])
    said = f"{len(report.checked)} invariants of {orders} orders: {broken or 'all hold'}"
    return _claim(running, name or "invariants hold", report.ok, said, "stores")


def _claim(running: Session, name: str, holds: bool, said: str, rests_on: RestsOn) -> Answer:
    found: Assertion = running.check(name, holds, said, rests_on)
    return {"holds": found.holds, "said": found.said}


def _when(phase: str) -> str:
    return "over the whole run" if phase == WHOLE else f"{phase} the fault" if phase != "fault" else "during the fault"


def _percent(share: float | None) -> str:
    return "none" if share is None else f"{share * 100:.4g}%"


def _seconds(value: float | None) -> str:
    return "not measured" if value is None else f"{value * 1000:.3g} ms" if value < 1 else f"{value:.3g} s"


def _number(value: float | None) -> str:
    return "no" if value is None else f"{value:.2f}"

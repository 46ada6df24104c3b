"""What a session found, as plain data for the journal and the record of the run."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any, Final

from chaos.measure.errors import MeasureError
from chaos.measure.figures import figures
from chaos.measure.phases import AFTER, BEFORE, FAULT, PhaseError, Phases
from chaos.measure.requests import Request, availability, between, of_journey
from chaos.measure.timeline import timeline
from chaos.measure.traces import Coverage, JaegerTrace, coverage
from chaos.toolkit.session import Session

Document = dict[str, Any]

_LOOKED_AT: Final = 200  # requests whose traces are looked for
_EXAMPLES_PATIENCE_S: Final = 3.0


def of(session: Session, troubles: Sequence[str], failure: str) -> Document:
    """Everything; reads traces and, where the experiment did not, checks the invariants.

    Who interrupts a run waits for its end: then nothing more is read than is there already.
    """
    troubles = [*troubles]
    requests, site, edge = session.requests, session.site, session.options.edge
    seen = _coverage(session, requests, troubles)
    return {
        "failure": failure,
        "began_at": session.began_at.isoformat(),
        "edge": str(edge),
        "policy": session.policies.chosen,
        "rps": session.options.load.rps,
        "seed": session.options.load.seed,
        "phases": asdict(session.phases),
        "ending": asdict(session.ending),
        "troubles": troubles,
        "assertions": [asdict(each) for each in session.assertions],
        "effects": [asdict(each) for each in session.effects()],
        "coverage": asdict(seen),
        "good_before": availability(between(requests, *session.phases.span(BEFORE))),
        "invariants": _invariants(session, troubles),
        "load": session.load.report.as_dict() if session.load.report else None,
        "figures": {
            **asdict(figures(requests, session.samples, session.phases, site, edge, session.objectives)),
            **session.told.figures(session.phases),
        },
        "alerts": asdict(session.told) if session.told.alert else None,
        "timeline": [asdict(each) for each in timeline(session.load.finished(), session.samples, site, edge)],
        "examples": list(_examples(session, requests)),
    }


def _coverage(session: Session, requests: Sequence[Request], troubles: list[str]) -> Coverage:
    if session.ending.signal:
        return Coverage(len(requests), 0, 0)
    try:
        return coverage(session.traces, requests, _LOOKED_AT, session.options.load.seed)
    except MeasureError as exc:
        troubles.append(f"traces: {exc}")
        return Coverage(len(requests), min(_LOOKED_AT, len(requests)), 0)


def _invariants(session: Session, troubles: list[str]) -> Document | None:
    try:
        if session.invariants.report is None and not session.ending.signal:
            session.invariants.check(session.load.finished(), session.load.users)
    except MeasureError as exc:
        troubles.append(str(exc))
    report = session.invariants.report
    if report is None:
        return None
    violations = [asdict(each) for each in report.violations]
    return {"ok": report.ok, "checked": len(report.checked), "counts": report.counts, "violations": violations}


def _examples(session: Session, requests: Sequence[Request]) -> Iterator[Document]:
    """Some requests with their traces: an ordinary checkout, and what became of others during and after the fault."""
    chosen = [] if session.ending.signal else list(_chosen(session.phases, requests))
    try:
        traces = session.traces.read([each.trace_id for _, each in chosen], _EXAMPLES_PATIENCE_S)
    except MeasureError:
        return  # told already, by the coverage
    for title, request in chosen:
        trace: JaegerTrace | None = traces.get(request.trace_id)
        if trace is not None:
            yield {"title": title, "request": asdict(request), "trace": trace}


def _chosen(phases: Phases, requests: Sequence[Request]) -> Iterator[tuple[str, Request]]:
    wanted = (
        ("A checkout before the fault", BEFORE, True),
        ("The first checkout that failed during it", FAULT, False),
        ("A checkout that succeeded during it", FAULT, True),
        ("The last checkout that failed during it", FAULT, False),
        ("A checkout after it", AFTER, True),
    )
    used: set[str] = set()
    for index, (title, phase, good) in enumerate(wanted):
        try:
            due = between(of_journey(requests, "checkout"), *phases.span(phase))
        except PhaseError:
            continue
        found = [each for each in due if each.trace_id and each.good == good and _is_plain(each)]
        if found and (request := found[-1 if index != 1 else 0]).trace_id not in used:
            used.add(request.trace_id)
            yield title, request


def _is_plain(request: Request) -> bool:
    return request.kind == "checkout_ok"

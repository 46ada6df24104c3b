"""Chaos Toolkit's probes of alerts: whether they come through, when one was delivered, and when its end was.

Each waits for what it looks for, so long at most, and no longer than the run goes on. A claim is recorded as those of
`chaos.toolkit.probes` are. Who evaluates is told, as a real Prometheus with its Alertmanager and the process
`faultline-alerts` by itself are not equally quick.
"""

from collections.abc import Callable
from typing import Any, Final

from chaos.measure.alerts import EVALUATORS, FIRING, RESOLVED, Alert, Alerting
from chaos.measure.errors import MeasureError
from chaos.measure.phases import AFTER, FAULT
from chaos.toolkit import session
from chaos.toolkit.session import Session

_POLL_S: Final = 0.5

Answer = dict[str, Any]

# --- steady state -----------------------------------------------------------------------------------------------------


def alerts_come_through(within_s: float = 60.0) -> bool:
    """Whether somebody evaluates, and the watchdog's notification has come, if not at once then in that time."""
    running = session.current()
    found = _awaited(running, running.now_s + float(within_s), lambda each: each.heard and not each.problem)
    if found.problem or not found.heard:
        running.tell(f"alerts do not come through: {found.problem or 'the watchdog was not heard'}")
    return found.heard and not found.problem


def alert_is_quiet(alert: str, severity: str, within_s: float = 60.0) -> bool:
    """Whether the alert does not fire, if it ends in that time: what fires before the fault cannot tell of it."""
    running, wanted = session.current(), Alert(alert, severity)
    found = _awaited(running, running.now_s + float(within_s), lambda each: wanted not in each.firing)
    if wanted in found.firing:
        running.tell(f"{wanted} fires already")
    return wanted not in found.firing


# --- claims -----------------------------------------------------------------------------------------------------------


def alert_delivered(alert: str, severity: str, within_s: float, patience_s: float, name: str = "") -> Answer:
    """The alert fires, and its notification was delivered, so soon after the fault began; is awaited for `patience_s`."""
    running, wanted = session.current(), Alert(alert, severity)
    since_s, _ = running.phases.span(FAULT)
    found, running.told.firing_s = _notified(running, wanted, FIRING, since_s, float(patience_s))
    running.told.alert = str(wanted)
    took_s = running.told.figures(running.phases)["time_to_detect_s"]
    said = f"{wanted} {_after(took_s, 'delivered', 'the fault began', patience_s)}, within {float(within_s):g} s; {_who(found)}"
    return _claim(running, name or f"{alert} delivered", took_s, within_s, said)


def alert_resolved(alert: str, severity: str, within_s: float, patience_s: float, name: str = "") -> Answer:
    """The alert that was delivered ended, and that was delivered, so soon after the fault was lifted; as `alert_delivered`."""
    running, wanted = session.current(), Alert(alert, severity)
    since_s, _ = running.phases.span(AFTER)
    if running.told.firing_s is None:  # waiting for its end would be in vain
        said = f"{wanted} was not delivered, so that its end could not be"
        return _claim(running, name or f"{alert} resolved", None, within_s, said)
    found, running.told.resolved_s = _notified(running, wanted, RESOLVED, since_s, float(patience_s))
    took_s = running.told.figures(running.phases)["time_to_resolve_s"]
    said = f"{wanted} {_after(took_s, 'resolved', 'the fault was gone', patience_s)}, within {float(within_s):g} s; {_who(found)}"
    return _claim(running, name or f"{alert} resolved", took_s, within_s, said)


def _claim(running: Session, name: str, took_s: float | None, within_s: float, said: str) -> Answer:
    if took_s is None and running.is_ending:  # it was not waited for to the end: nothing is known
        return {"holds": False, "said": f"the run ended before that: {name}"}
    found = running.check(name, took_s is not None and took_s <= float(within_s), said, "alerts")
    return {"holds": found.holds, "said": found.said}


def _after(took_s: float | None, what: str, since: str, patience_s: float) -> str:
    return f"not {what} for {float(patience_s):g} s" if took_s is None else f"{what} {took_s:.1f} s after {since}"


def _who(found: Alerting) -> str:
    return found.problem or EVALUATORS.get(found.evaluator, found.evaluator)


# --- waiting ----------------------------------------------------------------------------------------------------------


def _awaited(running: Session, until_s: float, enough: Callable[[Alerting], bool]) -> Alerting:
    """The first reading that is enough; else the last one before that moment, or before the run is to end."""
    while True:
        found = _read(running)
        if enough(found) or running.now_s >= until_s or running.is_ending:
            return found
        running.wait(_POLL_S)


def _read(running: Session) -> Alerting:
    """A process that does not answer is a problem like others: it may come back while it is awaited."""
    try:
        found = running.alerting.read()
    except MeasureError as exc:
        return Alerting(problem=str(exc))
    running.told.evaluator = found.evaluator or running.told.evaluator
    return found


def _notified(
    running: Session, alert: Alert, status: str, since_s: float, patience_s: float
) -> tuple[Alerting, float | None]:
    """The last reading, and when the alert was told of like that after a moment of the run; None: it was not, or is otherwise."""

    def told_s(found: Alerting) -> float | None:
        if (alert in found.firing) != (status == FIRING):
            return None
        return _moment(running, found, alert, status, since_s)

    found = _awaited(running, since_s + patience_s, lambda each: told_s(each) is not None)
    return found, told_s(found)


def _moment(running: Session, found: Alerting, alert: Alert, status: str, since_s: float) -> float | None:
    """Of one that came and went and came again, its first beginning and its last end, in the run's seconds."""
    told = (running.moment_s(each.at_s) for each in found.delivered if (each.alert, each.status) == (alert, status))
    moments = [each for each in told if each >= since_s]
    return (min if status == FIRING else max)(moments, default=None)

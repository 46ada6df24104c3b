"""Chaos Toolkit's control: begins and ends the session around an experiment, and lets it end early and in order.

Chaos Toolkit turns an exception that a signal raises inside of an activity into a failed activity, and goes on with the
next; it plays no rollbacks when its gate is closed, unless it is told to. So signals only ask for the end here, which
comes between two activities; and what an experiment leaves behind is ended in any case.
"""

import logging
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, Final

from chaoslib.exceptions import InterruptExecution

from chaos.control import HttpFaultControl
from chaos.load import parse_mix
from chaos.load.kinds import DEFAULT_MIX
from chaos.measure import site as sites
from chaos.measure.background_load import LoadOptions
from chaos.measure.edges import Edge
from chaos.measure.errors import MeasureError
from chaos.measure.stops import StopCondition
from chaos.toolkit import asked, evidence, session
from chaos.toolkit.announcement import name_of
from chaos.toolkit.session import Listener, Options, Session
from observability.stack import objectives

log = logging.getLogger("chaostoolkit")

EXTENSION: Final = "faultline"
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)

Document = dict[str, Any]


@dataclass
class _State:
    """Between the control's functions, which Chaos Toolkit calls by their names."""

    options: Mapping[str, Any] = field(default_factory=dict)
    listener: Listener = lambda _: None
    handlers: dict[int, Any] = field(default_factory=dict)
    rolling_back: bool = False
    failure: str = ""


_state = _State()


def listen(listener: Listener) -> None:
    """Who watches the runs of this process from now on."""
    _state.listener = listener


def configure_control(
    configuration: Document,
    rps: float = 25,
    at_most_s: float = 120,
    warm_up_s: float = 2,
    mix: str = "",
    seed: Any = 1,
) -> None:
    """Arguments: `rps` requests per second for `at_most_s` at most; `mix` such as `browse=3,checkout_ok=1`.

    An experiment's configuration goes before: `rps`, `seed`.
    """
    _state.options = {
        "load": LoadOptions(
            float(configuration.get("rps", rps)), float(at_most_s), int(configuration.get("seed", seed)), _mix(mix)
        ),
        "warm_up_s": float(warm_up_s),
        "policy": str(configuration.get("policy", "")),
        "experiment": str(configuration.get("experiment", "")),
    }
    _state.rolling_back, _state.failure = False, ""


def before_experiment_control(context: Document, configuration: Document | None = None, **_: Any) -> None:
    """Begins the session. What prevents it becomes the reason why the steady state is not met."""
    try:
        made = _session(context)
        asked.check(context, configuration or {}, HttpFaultControl(made.site.target))
        session.begin(made)
        _install(made.end_early)
        made.open()
    except (MeasureError, objectives.ObjectivesError) as exc:
        _state.failure = str(exc)
        log.error("the run did not begin: %s", exc)  # noqa: TRY400 -- the reason is told; its stack says nothing more


def before_activity_control(context: Document, **_: Any) -> None:
    """Ends an experiment that is to end, unless it is being rolled back already."""
    del context
    _end_if_asked()


def after_activity_control(context: Document, **_: Any) -> None:
    """The same after each activity."""
    del context
    _end_if_asked()


def before_rollback_control(context: Document, **_: Any) -> None:
    """From now on nothing ends the experiment early."""
    del context
    _state.rolling_back = True


def after_experiment_control(context: Document, state: Document, **_: Any) -> None:
    """Closes the session, and adds what it found to the journal, as `faultline`."""
    del context
    _state.rolling_back = True
    try:
        found = session.current()
    except MeasureError:
        state[EXTENSION] = {"failure": _state.failure}
        return
    troubles = found.close()
    state[EXTENSION] = evidence.of(found, troubles, _state.failure)


def cleanup_control() -> None:
    """Whatever became of the experiment, nothing of it stays."""
    with suppress(MeasureError):  # there is no session, or its end has been told already
        session.current().close()
    session.end()
    _uninstall()


def _end_if_asked() -> None:
    if _state.rolling_back:
        return
    if _state.failure:
        raise InterruptExecution(_state.failure)
    try:
        running = session.current()
    except MeasureError:
        return
    if running.is_ending:
        raise InterruptExecution(str(running.ending))


def _session(experiment: Document) -> Session:
    declared = extension(experiment)
    options = Options(
        edge=Edge.parse(declared["edge"]),
        load=_state.options["load"],
        stops=stops(declared, _state.options["policy"]),
        warm_up_s=_state.options["warm_up_s"],
        experiment=name_of(_state.options["experiment"] or declared["summary"]),
        arm=_state.options["policy"],
    )
    return Session(sites.site_of(sites.default_state()), options, objectives.load(), _state.listener)


def extension(experiment: Document) -> Document:
    """What the experiment declares for `faultline`; empty if nothing."""
    return next((each for each in experiment.get("extensions") or () if each.get("name") == EXTENSION), {})


def stops(declared: Document, policy: str) -> list[StopCondition]:
    """The stop conditions of the arm that runs with this policy: its own, else the experiment's."""
    arm = (declared.get("arms") or {}).get(policy, {})
    return [StopCondition.model_validate(each) for each in arm.get("stop") or declared.get("stop") or ()]


def _mix(text: str) -> Any:
    return parse_mix(text) if text else DEFAULT_MIX


def _install(ask: Callable[[str], None]) -> None:
    def heard(number: int, frame: FrameType | None) -> None:
        del frame
        ask(signal.Signals(number).name)

    _state.handlers = {number: signal.signal(number, heard) for number in _SIGNALS}


def _uninstall() -> None:
    for number, handler in _state.handlers.items():
        signal.signal(number, handler)
    _state.handlers = {}

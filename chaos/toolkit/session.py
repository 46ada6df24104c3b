"""One run of an experiment against one running system: its load, samples, fault, policies and assertions."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime

from chaos.control import HttpExperimentControl
from chaos.measure.alerts import AlertReader, Told
from chaos.measure.background_load import BackgroundLoad, LoadOptions
from chaos.measure.edges import WATCHED, Edge
from chaos.measure.errors import DrivingError, MeasureError
from chaos.measure.phases import Phases
from chaos.measure.requests import Request
from chaos.measure.sampler import Sampler
from chaos.measure.samples import Sample, around
from chaos.measure.site import Site
from chaos.measure.stops import Stop, StopCondition, reached
from chaos.measure.traces import TraceReader
from chaos.toolkit.announcement import Announcement
from chaos.toolkit.assertions import Assertion, RestsOn
from chaos.toolkit.effect import Effect
from chaos.toolkit.faults import TOUCHED, Fault
from chaos.toolkit.invariants import Invariants
from chaos.toolkit.policies import Policies
from observability.stack.objectives import Objectives

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Options:
    """What a run is to be. `edge` is the one that is looked at; `warm_up_s` of load are not measured.

    `experiment` and `arm`, the policies it chooses, are what metrics call it.
    """

    edge: Edge
    load: LoadOptions
    stops: Sequence[StopCondition] = ()
    warm_up_s: float = 2.0
    experiment: str = "unnamed"
    arm: str = ""


class NoSessionError(MeasureError):
    """An activity was called outside of a run that the control began."""


@dataclass(frozen=True)
class Progress:
    """Where a run is, for whoever watches."""

    at_s: float
    said: str
    sample: Sample | None
    requests: Sequence[Request] = ()


Listener = Callable[[Progress], None]


@dataclass
class _Standing:
    """A fault that was begun, and what came of it."""

    fault: Fault
    lifted: bool = False


@dataclass
class Ending:
    """Why a run ends before its method does. `stop`: a condition was reached; `signal`: its name."""

    stop: Stop | None = None
    signal: str = ""
    broken: str = ""

    def __str__(self) -> str:
        if self.stop:
            return f"stop condition {self.stop}"
        return f"interrupted by {self.signal}" if self.signal else self.broken


class Session:
    """Begun by the control before the experiment's steady state is looked at, closed after its rollbacks."""

    def __init__(self, site: Site, options: Options, objectives: Objectives, listener: Listener) -> None:
        self.site, self.options, self.objectives = site, options, objectives
        self.began_at = datetime.now(UTC)
        self.phases = Phases()
        self.assertions: list[Assertion] = []
        self.load = BackgroundLoad(site, options.load)
        self.traces = TraceReader(site.query_url)
        self.alerting, self.told = AlertReader(site.alerts_url), Told()
        self.policies = Policies(site)
        self.invariants = Invariants(site)
        self.ending = Ending()
        self._listener = listener
        self._ending = threading.Event()
        self._faults: list[_Standing] = []
        self._lifting = threading.RLock()
        self._began = time.monotonic()
        self._sampler: Sampler | None = None
        self._stack = ExitStack()

    # --- beginning and end ---------------------------------------------------------------------------------------

    def open(self) -> None:
        """Begins load and samples, and returns when the load is warm. Raises MeasureError."""
        control = HttpExperimentControl(self.site.target, self.site.public_service)
        self._stack.enter_context(Announcement(control, self.options.experiment, self.options.arm))
        self._stack.enter_context(self.load)
        self._began = time.monotonic()
        sampler = Sampler(self.site, WATCHED | {TOUCHED}, self._began, self._sampled, self.end_broken)
        self._sampler = self._stack.enter_context(sampler)
        self.tell(f"load: {self.options.load.rps:g} requests per second")
        self.wait(self.options.warm_up_s)
        self.phases.measured_s = self.now_s

    def close(self) -> list[str]:
        """Ends whatever is still there: faults, load, policies, samples. What could not be ended, a line each."""
        troubles = [*self._attempt("fault", self.lift), *self._attempt("load", self.end_load)]
        troubles += self._attempt("policies", self.policies.restore)
        self._stack.close()
        return troubles

    def end_load(self) -> None:
        """No more load; returns when all is answered and sampled."""
        if self.phases.ended_s is None:
            self.phases.ended_s = self.now_s
            self.load.end()
            self.sample()

    # --- the fault -----------------------------------------------------------------------------------------------

    def begin(self, fault: Fault) -> None:
        """Begins a fault; it is lifted at the latest when the session is closed. Raises MeasureError."""
        with self._lifting:
            self.sample()
            self._faults.append(_Standing(fault))
            self.phases.fault_s = self.now_s
            self.tell(f"fault: {fault.described}")
            fault.begin()

    def lift(self) -> None:
        """Lifts what is standing, also after one could not be; does nothing the second time. Raises DrivingError."""
        with self._lifting:
            standing = [each for each in self._faults if not each.lifted]
            if failed := [why for each in standing if (why := self._lift(each))]:
                raise DrivingError("; ".join(failed))

    def _lift(self, standing: _Standing) -> str:
        """Why it still stands; empty when it is gone."""
        try:
            standing.fault.lift()
        except MeasureError as exc:
            return f"{standing.fault.described}: {exc}"
        standing.lifted = True
        self.phases.lifted_s = self.now_s
        self.sample()
        self.tell(f"lifted: {standing.fault.described}")
        return ""

    @property
    def fault_ids(self) -> list[str]:
        """Of the faults that name themselves in traces."""
        return [each.fault.fault_id for each in self._faults if each.fault.fault_id]

    def effects(self) -> list[Effect]:
        """What each fault touched."""
        begun_s = self.phases.fault_s or 0.0
        ended_s = self.now_s if self.phases.lifted_s is None else self.phases.lifted_s
        return [each.fault.effect(around(self.samples, begun_s, ended_s)) for each in self._faults]

    # --- time, and what ends it ----------------------------------------------------------------------------------

    @property
    def now_s(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self._began

    def moment_s(self, wall_s: float) -> float:
        """What others said in seconds since the epoch, a while ago, in seconds since the run began."""
        return self.now_s - (time.time() - wall_s)

    def wait(self, seconds: float) -> None:
        """That long, or until the run is to end."""
        self._ending.wait(seconds)

    def end_early(self, signal: str) -> None:
        """The run is to end as soon as its present activity has; may be called by a signal handler."""
        self.ending.signal = self.ending.signal or signal
        self._ending.set()

    def end_broken(self, why: str) -> None:
        """The run is to end likewise, as nobody looks for its stop conditions any more."""
        self.ending.broken = self.ending.broken or f"the samples broke: {why}"
        self._ending.set()

    @property
    def is_ending(self) -> bool:
        return self._ending.is_set()

    # --- what is known -------------------------------------------------------------------------------------------

    @property
    def requests(self) -> Sequence[Request]:
        """Those of the load that are finished and were due after the warm-up."""
        return [each for each in self.load.finished() if each.at_s >= self.phases.measured_s]

    @property
    def samples(self) -> Sequence[Sample]:
        return self._sampler.ring.all() if self._sampler else ()

    def sample(self) -> Sample | None:
        """One more sample, now; None before there is a sampler."""
        return self._sampler.sample() if self._sampler else None

    def check(self, name: str, holds: bool, said: str, rests_on: RestsOn) -> Assertion:
        """Records an assertion."""
        assertion = Assertion(name, holds, said, rests_on)
        self.assertions.append(assertion)
        self.tell(f"{'holds' if holds else 'BROKEN'}: {said}")
        return assertion

    def tell(self, said: str) -> None:
        """To whoever watches; an empty text is but a tick."""
        if said:
            self.phases.notes.append((self.now_s, said))
        self._listener(Progress(self.now_s, said, self.samples[-1] if self.samples else None, self.load.finished()))

    def _sampled(self, _: Sample) -> None:
        self._look_for_stop()
        self.tell("")

    def _look_for_stop(self) -> None:
        """In the sampler's thread: the fault goes at once, whatever the experiment is waiting for."""
        if self.is_ending or self.phases.measured_s == 0 or self.phases.ended_s is not None:
            return
        if self.load.failure:
            self.ending.broken = f"the load broke: {self.load.failure}"
            self._ending.set()
        elif stop := reached(self.options.stops, self.requests, self.now_s, self.objectives):
            self.ending.stop = stop
            self._ending.set()
            self.tell(str(self.ending))
            for trouble in self._attempt("fault", self.lift):
                self.tell(trouble)

    def _attempt(self, what: str, ending: Callable[[], None]) -> list[str]:
        try:
            ending()
        except MeasureError as exc:
            log.warning("not ended", extra={"what": what, "error": str(exc)})
            return [f"{what}: {exc}"]
        return []


_current: list[Session] = []


def begin(session: Session) -> Session:
    """Makes it the one that activities use."""
    _current[:] = [session]
    return session


def current() -> Session:
    """Raises NoSessionError."""
    if not _current:
        raise NoSessionError("no run is under way: the experiment needs the control chaos.toolkit.control")
    return _current[0]


def end() -> None:
    """There is none any more."""
    _current.clear()

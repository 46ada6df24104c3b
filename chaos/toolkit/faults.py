"""Faults as a session holds them: begun, lifted, proven."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final, Protocol

from chaos.control import Fault as Wanted
from chaos.control import HttpFaultControl, RefusedError, new_fault_id, process_control
from chaos.measure.edges import Edge, traffic
from chaos.measure.errors import driving
from chaos.measure.samples import Sample, increase, pid_changes
from chaos.measure.site import Site
from chaos.toolkit.effect import Effect
from observability import semconv

TOUCHED: Final = semconv.FAULTS_TOUCHED.prometheus_name
_EXPERIMENT: Final = semconv.prometheus_label(semconv.EXPERIMENT)
_KIND: Final = semconv.prometheus_label(semconv.FAULT_KIND)


class Fault(Protocol):
    """Something wrong with the system, until it is lifted or its time to live is over."""

    @property
    def described(self) -> str:
        """For people."""
        ...

    @property
    def fault_id(self) -> str:
        """By which it names itself on the spans that it touches; empty for one that has no span."""
        ...

    def begin(self) -> None:
        """Raises DrivingError."""
        ...

    def lift(self) -> None:
        """Takes it away, also when it is gone already. Raises DrivingError."""
        ...

    def effect(self, samples: Sequence[Sample]) -> Effect:
        """What it touched, told by the samples from before it began until it was gone."""
        ...


def wanted(
    service: str,
    kind: str,
    ttl_s: float,
    experiment: str,
    parameters: Mapping[str, Any] | None = None,
    probability: float = 1.0,
    operation: str = "",
) -> Wanted:
    """The fault that an experiment's `inject` asks for with these arguments."""
    return Wanted(service, kind, float(ttl_s), parameters or {}, operation, float(probability), experiment=experiment)


class _OfAProcess:
    """What happens to a whole process is on none of its spans."""

    fault_id = ""


class Killed(_OfAProcess):
    """All replicas of a service killed, and held down until they are let back, `ttl_s` seconds at most."""

    def __init__(self, site: Site, service: str, ttl_s: float, edge: Edge) -> None:
        self._site, self._service, self._ttl_s, self._edge = site, service, ttl_s, edge
        self._control = process_control(site.target)
        self._instances = [each.name for each in site.of_service(service)]
        self.described = f"{service} killed and held down"

    def begin(self) -> None:
        with driving():
            self._control.kill(self._service, self._ttl_s)

    def lift(self) -> None:
        with driving():
            down = [each.instance for each in self._control.states() if each.pid is None]
            for each in down:
                if each in self._instances:
                    with suppress(RefusedError):  # it started by itself in between
                        self._control.restart(each)

    def effect(self, samples: Sequence[Sample]) -> Effect:
        ended = [each for each in self._instances if pid_changes(samples, each)]
        return _by_callers(self.described, ended, "ended", samples, self._site, self._edge)


class Paused(_OfAProcess):
    """All replicas of a service stopped, alive but mute, until they are woken, after `ttl_s` seconds at most."""

    def __init__(self, site: Site, service: str, ttl_s: float, edge: Edge) -> None:
        self._site, self._service, self._ttl_s, self._edge = site, service, ttl_s, edge
        self._control = process_control(site.target)
        self._instances = [each.name for each in site.of_service(service)]
        self.described = f"{service} paused"

    def begin(self) -> None:
        with driving():
            self._control.pause(self._service, self._ttl_s)

    def lift(self) -> None:
        with driving():
            for each in self._control.states():
                if each.instance in self._instances and each.state == "paused":
                    with suppress(RefusedError):  # it was woken in between
                        self._control.resume(each.instance)

    def effect(self, samples: Sequence[Sample]) -> Effect:
        mute = [
            each
            for each in self._instances
            if any(one.processes[each].state == "paused" for one in samples if each in one.processes)
        ]
        return _by_callers(self.described, mute, "stood still", samples, self._site, self._edge)


class Injected:
    """A fault inside of all replicas of a service, which count whom it touches."""

    def __init__(self, site: Site, wanted: Wanted) -> None:
        self._wanted = replace(wanted, fault_id=wanted.fault_id or new_fault_id())
        self._control = HttpFaultControl(site.target)
        self.fault_id = self._wanted.fault_id
        self._begun = False
        parameters = ", ".join(f"{name} {value}" for name, value in wanted.parameters.items())
        share = f" of {wanted.probability:.0%}" if wanted.probability < 1 else ""
        where = f"{wanted.service} {wanted.operation}".rstrip()
        self.described = f"{wanted.kind}{f' ({parameters})' if parameters else ''} in {where}{share}"

    def begin(self) -> None:
        self._begun = True  # also when it fails: a replica may have it, and not have been able to say so
        with driving():
            self._control.add(self._wanted)

    def lift(self) -> None:
        if self._begun:
            with driving():
                self._control.remove(self._wanted.fault_id, self._wanted.service)

    def effect(self, samples: Sequence[Sample]) -> Effect:
        labels = {_EXPERIMENT: self._wanted.experiment, _KIND: self._wanted.kind}
        touched = round(increase(samples, lambda series: series.name == TOUCHED and series.has(**labels)))
        return Effect(self.described, touched, f"{touched} requests touched, as {self._wanted.service} counted")


def _by_callers(
    described: str, hurt: Sequence[str], how: str, samples: Sequence[Sample], site: Site, edge: Edge
) -> Effect:
    """Proof for what cannot count by itself: the process was seen hurt, and its callers noticed."""
    failed = round(traffic(samples, site, edge).failed_attempts)
    said = f"{', '.join(hurt) or 'no process'} {how}; {failed} of its callers' attempts failed"
    return Effect(described, failed if hurt else 0, said)

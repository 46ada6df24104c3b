"""Proof that a fault took effect: counted by experiment and kind; its id on the span, its event, and the log."""

import logging
from collections import Counter
from collections.abc import Iterable, Sequence

from opentelemetry import trace

from observability import semconv
from observability.metrics import Instruments
from services.chassis.faults.kinds import Kind
from services.chassis.faults.model import MANUAL, Fault
from services.chassis.faults.store import Armed

log = logging.getLogger(__name__)

MAX_EXPERIMENTS = 50
OTHER = "other"
"""The label of experiments beyond the first `MAX_EXPERIMENTS`: labels are bounded, whatever names are chosen."""


class Evidence:
    """What one process tells of its faults. `kinds` are those that it can have, whose counts exist at zero."""

    def __init__(self, metrics: Instruments, kinds: Sequence[Kind]) -> None:
        self._metrics = metrics
        self._known: set[str] = {MANUAL}
        self._active: set[tuple[str, str]] = {(MANUAL, kind) for kind in kinds}
        for labels in self._active:
            self._declare(labels)

    def changed(self, armed: Iterable[Armed]) -> None:
        """Counts the faults in force, those of each experiment and kind from zero."""
        now = Counter(self._labels(each.fault) for each in armed)
        for labels in now.keys() - self._active:
            self._declare(labels)
        self._active |= now.keys()
        for labels in self._active:
            self._metrics.set(semconv.FAULTS_ACTIVE, now[labels], *labels)

    def injected(self, armed: Armed) -> None:
        """To be told when a fault touches a request, within the request's span."""
        fault = armed.fault
        armed.touched += 1
        self._metrics.add(semconv.FAULTS_TOUCHED, *self._labels(fault))
        told = about(fault)
        span = trace.get_current_span()
        span.set_attributes(told)
        span.add_event(semconv.EVENT_FAULT_INJECTED, told)
        log.info("fault injected", extra=told)

    def _labels(self, fault: Fault) -> tuple[str, str]:
        if fault.experiment not in self._known and len(self._known) < MAX_EXPERIMENTS:
            self._known.add(fault.experiment)
        return (fault.experiment if fault.experiment in self._known else OTHER, fault.kind)

    def _declare(self, labels: tuple[str, str]) -> None:
        self._metrics.zero(semconv.FAULTS_TOUCHED, *labels)
        self._metrics.zero(semconv.FAULTS_ACTIVE, *labels)


def about(fault: Fault) -> dict[str, str]:
    """The attributes by which a fault is known."""
    return {semconv.FAULT_ID: fault.fault_id, semconv.FAULT_KIND: fault.kind, semconv.EXPERIMENT: fault.experiment}

"""One point of injection: decides for each request, tells of it, and waits where waiting is the fault."""

import random
from collections.abc import Sequence

from opentelemetry import baggage

from services.chassis.faults import decision, waits
from services.chassis.faults.decision import Request
from services.chassis.faults.evidence import Evidence
from services.chassis.faults.kinds import Kind, Protocol
from services.chassis.faults.store import Armed, FaultStore


class Injector:
    """Falsy while no fault is in force, so that a request without one costs this one question.

    `service` and `protocol` are the point's own.
    """

    def __init__(
        self, service: str, protocol: Protocol, store: FaultStore, evidence: Evidence, dice: random.Random
    ) -> None:
        self._service, self._protocol = service, protocol
        self._store, self._evidence, self._dice = store, evidence, dice

    def __bool__(self) -> bool:
        return bool(self._store)

    async def delay(self, operation: str) -> Sequence[Armed]:
        """Does the waiting of the faults that touch this request; those that do more than wait are for the caller."""
        request = Request(self._service, self._protocol, operation, baggage.get_all())
        touching = decision.touching(self._store.active(), request, self._dice.random)
        for each in touching:
            self._evidence.injected(each)
            await waits.wait(each, self._dice)
        return [each for each in touching if each.fault.kind not in _WAITING]


_WAITING = frozenset({Kind.LATENCY, Kind.BLACKHOLE})

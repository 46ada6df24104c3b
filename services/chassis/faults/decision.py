"""Whom a fault touches: pure, its dice injected."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from services.chassis.faults.kinds import Kind
from services.chassis.faults.model import Fault
from services.chassis.faults.store import Armed

Draw = Callable[[], float]
"""A number from 0 up to, never at, 1; every one as likely as another."""

# What makes a request wait comes before what answers it, and that before what harms the answer.
_ORDER = {kind: number for number, kind in enumerate(Kind)}


@dataclass(frozen=True)
class Request:
    """What is known of a request at a point of injection: where it is, what it asks for, what baggage it carries."""

    service: str
    protocol: str
    operation: str
    baggage: Mapping[str, Any]


def touching(armed: Iterable[Armed], request: Request, draw: Draw) -> list[Armed]:
    """The faults that touch this request, in the order in which they are injected."""
    found = [each for each in armed if not each.over and _in_scope(each.fault, request) and _hit(each.fault, draw)]
    return sorted(found, key=lambda each: _ORDER[each.fault.kind])


def _in_scope(fault: Fault, request: Request) -> bool:
    return (
        fault.service == request.service
        and fault.protocol == request.protocol
        and fault.operation in {None, request.operation}
        and (fault.baggage is None or request.baggage.get(fault.baggage.key) == fault.baggage.value)
    )


def _hit(fault: Fault, draw: Draw) -> bool:
    return fault.probability >= 1 or draw() < fault.probability

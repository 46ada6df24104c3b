"""The points of injection of one process: what can be hurt, under which name, over which protocol, in which operations."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from services.chassis.faults.errors import FaultRefusedError
from services.chassis.faults.kinds import MATRIX, Kind, Protocol, kinds_of
from services.chassis.faults.values import one_of


@dataclass(frozen=True)
class Point:
    """`operations` are asked for when a fault names one, as routes are known only then."""

    service: str
    protocol: Protocol
    operations: Callable[[], Sequence[str]] = tuple


def of_service(points: Sequence[Point], service: str) -> list[Point]:
    """The points of that name. Raises FaultRefusedError naming the ones there are."""
    name = one_of("service", service, dict.fromkeys(each.service for each in points))
    return [each for each in points if each.service == name]


def having_kind(points: Sequence[Point], kind: Kind) -> list[Point]:
    """Those whose protocol has the kind. Raises FaultRefusedError naming the kinds that they have."""
    found = [each for each in points if each.protocol in MATRIX[kind]]
    if not found:
        protocols = list(dict.fromkeys(each.protocol for each in points))
        choices = ", ".join(kinds_of(*protocols))
        raise FaultRefusedError("kind", f"{points[0].service} ({'/'.join(protocols)}) has no {kind}; it has {choices}")
    return found


def having_operation(points: Sequence[Point], operation: str) -> list[Point]:
    """Those that serve the operation. Raises FaultRefusedError naming the ones they serve."""
    if served := [each for each in points if operation in each.operations()]:
        return served
    one_of("operation", operation, [name for each in points for name in each.operations()])
    raise AssertionError("an operation is either served or refused")

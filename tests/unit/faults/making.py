"""Faults, and time that passes when a test says so."""

from typing import Any

from services.chassis.faults.kinds import Kind, Protocol
from services.chassis.faults.model import Fault
from services.chassis.faults.parameters import Fixed


class FakeClock:
    """Seconds since the test began."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def fault(fault_id: str = "f-1", **changes: Any) -> Fault:
    """A latency of payments that touches everybody for a minute, but for `changes`."""
    usual: dict[str, Any] = {
        "fault_id": fault_id,
        "experiment": "manual",
        "service": "payments",
        "protocol": Protocol.GRPC,
        "operation": None,
        "kind": Kind.LATENCY,
        "parameters": Fixed(ms=500),
        "probability": 1.0,
        "baggage": None,
        "ttl_s": 60.0,
    }
    return Fault(**{**usual, **changes})

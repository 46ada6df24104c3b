"""A fault as those see it who inject it: what is asked for, and what is in force. Its target decides whether it can be."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

MANUAL: Final = "manual"
"""The experiment of a fault that was set by hand."""

KILL: Final = "kill"
PAUSE: Final = "pause"
RESTART: Final = "restart"
SUPERVISED_KINDS: Final = (KILL, PAUSE, RESTART)
"""Kinds of whole processes, which the supervisor does; every other kind is its target's own."""

REQUEST_KINDS: Final = ("latency", "blackhole", "error", "slow-body", "malformed-body")
PROCESS_KINDS: Final = ("event-loop-block", "cpu-burn", "memory-hold")
INJECTED_KINDS: Final = (*REQUEST_KINDS, *PROCESS_KINDS)
"""Kinds that a target does inside of requests, or to itself."""

MAX_TTL_S: Final = 600.0
_SHORTER_TTL_S: Final = {"event-loop-block": 60.0, "cpu-burn": 300.0}


def max_ttl_s(kind: str) -> float:
    """The longest that a fault of this kind may last, in seconds."""
    return _SHORTER_TTL_S.get(kind, MAX_TTL_S)


Document = Mapping[str, Any]


@dataclass(frozen=True)
class Fault:
    """A fault to be injected; `parameters` depend on its kind.

    `operation` is a route (`POST /v1/orders`), an rpc method (`Authorize`) or a unit of work of a database; empty: all.
    `probability` is 0 to 1, of the requests that are in scope; `baggage`: only requests that carry this entry.
    `fault_id` empty: one is made. It is gone after `ttl_s` seconds, whatever becomes of its injector.
    """

    service: str
    kind: str
    ttl_s: float
    parameters: Mapping[str, Any] = field(default_factory=dict)
    operation: str = ""
    probability: float = 1.0
    baggage: tuple[str, str] | None = None
    experiment: str = MANUAL
    fault_id: str = ""

    def document(self, service: str, fault_id: str) -> dict[str, Any]:
        """The body of `POST /faults`, for the point of injection called `service`; no id where `fault_id` is empty."""
        return {
            **({"id": fault_id} if fault_id else {}),
            "experiment": self.experiment,
            "service": service,
            "operation": self.operation or None,
            "kind": self.kind,
            "parameters": dict(self.parameters),
            "probability": self.probability,
            "scope": {"baggage": dict([self.baggage])} if self.baggage else None,
            "ttl_s": self.ttl_s,
        }


@dataclass(frozen=True)
class PlacedFault:
    """A fault in force in one replica: seconds until it is gone, and how many requests it has touched there."""

    instance: str
    fault_id: str
    experiment: str
    service: str
    operation: str
    kind: str
    parameters: Mapping[str, Any]
    probability: float
    baggage: tuple[str, str] | None
    ttl_s: float
    remaining_s: float
    touched: int


@dataclass(frozen=True)
class Found:
    """What is in force, and the instances that did not say."""

    faults: Sequence[PlacedFault]
    silent: Sequence[str] = ()

    def touched(self, fault_id: str) -> int:
        """How many requests this fault has touched, in all replicas."""
        return sum(each.touched for each in self.faults if each.fault_id == fault_id)


def placed(instance: str, document: Document) -> PlacedFault:
    """From a control listener's answer. Raises KeyError, TypeError for another shape."""
    baggage = (document["scope"] or {}).get("baggage") or {}
    return PlacedFault(
        instance,
        document["id"],
        document["experiment"],
        document["service"],
        document["operation"] or "",
        document["kind"],
        document["parameters"],
        document["probability"],
        next(iter(baggage.items()), None),
        document["ttl_s"],
        document["remaining_s"],
        document["touched"],
    )

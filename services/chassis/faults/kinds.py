"""What there is to inject, and where: the one table of kinds by protocols."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from services.chassis.faults.parameters import (
    LATENCIES,
    CpuBurn,
    GrpcError,
    HttpError,
    MemoryHold,
    Parameters,
    SlowBody,
)


class Protocol(StrEnum):
    """Where a fault can be injected: into requests served over a protocol, units of work in a database, the process."""

    HTTP = "http"
    GRPC = "grpc"
    SQL = "sql"
    PROCESS = "process"


class Kind(StrEnum):
    """What can be wrong."""

    LATENCY = "latency"
    BLACKHOLE = "blackhole"
    ERROR = "error"
    SLOW_BODY = "slow-body"
    MALFORMED_BODY = "malformed-body"
    EVENT_LOOP_BLOCK = "event-loop-block"
    CPU_BURN = "cpu-burn"
    MEMORY_HOLD = "memory-hold"


_NONE: Final = (Parameters,)

MATRIX: Final[Mapping[Kind, Mapping[Protocol, tuple[type[Parameters], ...]]]] = MappingProxyType(
    {
        Kind.LATENCY: {Protocol.HTTP: LATENCIES, Protocol.GRPC: LATENCIES, Protocol.SQL: LATENCIES},
        Kind.BLACKHOLE: {Protocol.HTTP: _NONE, Protocol.GRPC: _NONE, Protocol.SQL: _NONE},
        Kind.ERROR: {Protocol.HTTP: (HttpError,), Protocol.GRPC: (GrpcError,), Protocol.SQL: _NONE},
        Kind.SLOW_BODY: {Protocol.HTTP: (SlowBody,)},
        Kind.MALFORMED_BODY: {Protocol.HTTP: _NONE},
        Kind.EVENT_LOOP_BLOCK: {Protocol.PROCESS: _NONE},
        Kind.CPU_BURN: {Protocol.PROCESS: (CpuBurn,)},
        Kind.MEMORY_HOLD: {Protocol.PROCESS: (MemoryHold,)},
    }
)
"""Kind → each protocol that has it → the parameters it takes there. A kind is refused where it is not in its row."""

MAX_TTL_S: Final = 600.0
_SHORTER: Final = MappingProxyType({Kind.EVENT_LOOP_BLOCK: 60.0, Kind.CPU_BURN: 300.0})


def max_ttl_s(kind: Kind) -> float:
    """The longest that a fault of this kind may last, in seconds; nothing is for ever."""
    return _SHORTER.get(kind, MAX_TTL_S)


def kinds_of(*protocols: Protocol) -> list[Kind]:
    """The kinds that at least one of these protocols has."""
    return [kind for kind, row in MATRIX.items() if any(each in row for each in protocols)]

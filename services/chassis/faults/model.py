"""A fault: data, complete and valid by itself. Whether its target has what it names, the `site` knows."""

import re
from dataclasses import dataclass
from typing import Final

from services.chassis.faults.errors import FaultRefusedError
from services.chassis.faults.kinds import Kind, Protocol, max_ttl_s
from services.chassis.faults.parameters import Parameters
from services.chassis.faults.values import number

MANUAL: Final = "manual"
"""The experiment of a fault that was set by hand."""

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_MAX_BAGGAGE: Final = 256
_LEAST_TTL_S: Final = 0.001


@dataclass(frozen=True)
class Baggage:
    """An entry that a request must carry to be touched."""

    key: str
    value: str

    def __post_init__(self) -> None:
        if not 0 < len(self.key) <= _MAX_BAGGAGE or len(self.value) > _MAX_BAGGAGE:
            raise FaultRefusedError("scope.baggage", f"a key and a value of at most {_MAX_BAGGAGE} characters")


@dataclass(frozen=True)
class Fault:
    """What is to go wrong, for whom, and for how long.

    `service` is the point of injection: the service's own name, or its database's (`payments-db`). `operation` None means
    every one. `probability`, above 0 and up to 1, is the share of the requests in scope; `baggage` narrows the scope.
    `ttl_s` is mandatory and bounded. Raises FaultRefusedError for what cannot be.
    """

    fault_id: str
    experiment: str
    service: str
    protocol: Protocol
    operation: str | None
    kind: Kind
    parameters: Parameters
    probability: float
    baggage: Baggage | None
    ttl_s: float

    def __post_init__(self) -> None:
        _check_name("id", self.fault_id)
        _check_name("experiment", self.experiment)
        number("ttl_s", self.ttl_s, _LEAST_TTL_S, max_ttl_s(self.kind), "s")
        if number("probability", self.probability, 0.0, 1.0) <= 0:
            raise FaultRefusedError("probability", "must be above 0, up to 1: at 0 it would touch nobody")
        if self.protocol is Protocol.PROCESS:
            self._check_process()

    def _check_process(self) -> None:
        if self.operation is not None:
            raise FaultRefusedError("operation", f"{self.kind} is the whole process's: it has none")
        if self.baggage or self.probability < 1:
            field = "scope.baggage" if self.baggage else "probability"
            raise FaultRefusedError(field, f"{self.kind} is the whole process's: it touches everybody")


def _check_name(field: str, value: object) -> None:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise FaultRefusedError(field, "must be 1 to 64 letters, digits, `.`, `_` or `-`")

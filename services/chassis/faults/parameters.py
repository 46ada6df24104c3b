"""What the kinds are told: one frozen, validated class for each set of parameters.

Times are in milliseconds. A field without a default must be given.
"""

from dataclasses import dataclass
from typing import ClassVar

from services.chassis.faults.errors import FaultRefusedError
from services.chassis.faults.values import number

MAX_MS = 600_000.0
MAX_SHAPE = 100.0
MAX_CORES = 1.0
MAX_MIB = 1024


@dataclass(frozen=True)
class Amount:
    """What a fault takes of its process, by the parameter `field`; all of a kind together take `most` of it at most."""

    field: str
    value: float
    most: float
    unit: str


@dataclass(frozen=True)
class Parameters:
    """No parameters, and the root of those that are. `distribution` tells several classes of one kind apart."""

    distribution: ClassVar[str] = ""

    @property
    def amount(self) -> Amount | None:
        """What adds up over the faults in force; None where nothing does."""
        return None


@dataclass(frozen=True)
class Fixed(Parameters):
    """The same wait for everybody."""

    distribution: ClassVar[str] = "fixed"
    ms: float

    def __post_init__(self) -> None:
        _time("ms", self.ms)


@dataclass(frozen=True)
class Uniform(Parameters):
    """Every wait between two limits as likely as another."""

    distribution: ClassVar[str] = "uniform"
    low_ms: float
    high_ms: float

    def __post_init__(self) -> None:
        _time("low_ms", self.low_ms)
        _time("high_ms", self.high_ms)
        if self.low_ms > self.high_ms:
            raise FaultRefusedError("parameters.low_ms", f"must be at most high_ms, {self.high_ms:g}")


@dataclass(frozen=True)
class Normal(Parameters):
    """Waits around a mean; what would be below zero is zero."""

    distribution: ClassVar[str] = "normal"
    mean_ms: float
    deviation_ms: float

    def __post_init__(self) -> None:
        _time("mean_ms", self.mean_ms)
        _time("deviation_ms", self.deviation_ms)


@dataclass(frozen=True)
class Pareto(Parameters):
    """Heavy-tailed waits: none below `min_ms`, and some very long. The smaller `shape`, the heavier; 1 has no mean."""

    distribution: ClassVar[str] = "pareto"
    min_ms: float
    shape: float

    def __post_init__(self) -> None:
        _time("min_ms", self.min_ms)
        number("parameters.shape", self.shape, 0.1, MAX_SHAPE)


Latency = Fixed | Uniform | Normal | Pareto
LATENCIES: tuple[type[Parameters], ...] = (Fixed, Uniform, Normal, Pareto)


@dataclass(frozen=True)
class HttpError(Parameters):
    """The status that is answered; which ones there are, the error catalogue decides."""

    status: int = 503


@dataclass(frozen=True)
class GrpcError(Parameters):
    """The name of the gRPC code that is answered; which ones there are, the error catalogue decides."""

    code: str = "UNAVAILABLE"


@dataclass(frozen=True)
class SlowBody(Parameters):
    """How long the answer's body takes, once its head was sent at once."""

    ms: float

    def __post_init__(self) -> None:
        _time("ms", self.ms)


@dataclass(frozen=True)
class CpuBurn(Parameters):
    """The share of one core that is burnt."""

    share: float = 1.0

    def __post_init__(self) -> None:
        number("parameters.share", self.share, 0.01, MAX_CORES)

    @property
    def amount(self) -> Amount:
        return Amount("share", self.share, MAX_CORES, "cores")


@dataclass(frozen=True)
class MemoryHold(Parameters):
    """How much memory is held, in units of 2**20 bytes."""

    mib: int

    def __post_init__(self) -> None:
        number("parameters.mib", self.mib, 1, MAX_MIB)
        if not isinstance(self.mib, int):
            raise FaultRefusedError("parameters.mib", "must be a whole number")

    @property
    def amount(self) -> Amount:
        return Amount("mib", self.mib, MAX_MIB, "MiB")


def _time(name: str, value: float) -> None:
    number(f"parameters.{name}", value, 0, MAX_MS, "ms")

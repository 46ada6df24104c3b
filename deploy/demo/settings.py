"""What the demonstration does, as numbers."""

from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from chaos.load import Kind, Mix

CHECKOUT: Final = Path(__file__).resolve().parents[2]

MIX: Final[Mix] = MappingProxyType(
    {
        Kind.BROWSE: 30,
        Kind.PRODUCT: 20,
        Kind.CHECKOUT_OK: 30,
        Kind.CHECKOUT_DECLINED: 10,
        Kind.CHECKOUT_TOO_MUCH: 5,
        Kind.CHECKOUT_UNKNOWN: 5,
    }
)
"""More refusals than in life, so that each is seen in a short time."""


@dataclass(frozen=True)
class Demonstration:
    """One run. `folder` gets `trace.html`, `experiment.html`, and the logs when something goes wrong."""

    rps: float = 10
    duration_s: float = 12
    seed: int = 5
    stay_s: float = 600  # on a terminal, at most
    trace_timeout_s: float = 20  # from the checkout's answer until its whole trace can be read
    most_failed: float = 0.02  # of all requests; more, and the demonstration has failed
    folder: Path = CHECKOUT / "build" / "demo"
    experiment: bool = True

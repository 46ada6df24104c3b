"""Fallback: what a caller gets when the call has failed for good. It is marked, so that it cannot feign success."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from services.chassis.errors import FaultlineError

T = TypeVar("T")


@dataclass(frozen=True)
class Degraded(Generic[T]):
    """A fallback's answer. Whoever gets one is told so by its type, and has to tell further."""

    value: T


Fallback = Callable[[FaultlineError], Degraded[T] | None]
"""What is answered instead of the error; None where there is nothing to answer."""


@dataclass(frozen=True)
class FallbackConfig:
    """`reserve_s` seconds of the deadline are kept from the call, so that a fallback's answer is still heard."""

    reserve_s: float = 0.1

    def __post_init__(self) -> None:
        if not 0 <= self.reserve_s <= 10:
            raise ValueError(f"reserve_s must be 0 to 10 s, not {self.reserve_s}")

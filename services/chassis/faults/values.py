"""Checks of single values, each with the error that names what may be."""

import math
from collections.abc import Iterable
from typing import Any, TypeVar

from services.chassis.faults.errors import FaultRefusedError

T = TypeVar("T")


def number(field: str, value: Any, least: float, most: float, unit: str = "") -> float:
    """`value` as a float within `least` and `most`, both included. Raises FaultRefusedError."""
    limits = f"from {least:g} to {most:g}{unit and ' '}{unit}"
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise FaultRefusedError(field, f"must be a number {limits}")
    if not math.isfinite(value) or not least <= value <= most:
        raise FaultRefusedError(field, f"must be {limits}, not {value:g}")
    return float(value)


def one_of(field: str, value: Any, choices: Iterable[T]) -> T:
    """The choice that equals `value`. Raises FaultRefusedError naming the choices."""
    known = list(choices)
    if value not in known:
        raise FaultRefusedError(field, f"there is no {value!r}; there are {', '.join(map(str, known)) or 'none'}")
    return known[known.index(value)]

"""Checks of single values, each with the error that names what may be."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, TypeVar

from services.chassis.faults.errors import FaultRefusedError

T = TypeVar("T")


def number(field: str, value: Any, least: float, most: float, unit: str = "") -> float:
    """`value` as a float within `least` and `most`, both included. Raises FaultRefusedError."""
    limits = f"from {least:g} to {most:g}{unit and ' '}{unit}"
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise FaultRefusedError(field, f"must be a number {limits}")
    if not least <= value <= most:  # nor is NaN
        raise FaultRefusedError(field, f"must be {limits}, not {_short(value)}")
    return float(value)


def one_of(field: str, value: Any, choices: Iterable[T]) -> T:
    """The choice that equals `value`. Raises FaultRefusedError naming the choices."""
    known = list(choices)
    if value not in known:
        raise FaultRefusedError(field, f"there is no {value!r}; there are {', '.join(map(str, known)) or 'none'}")
    return known[known.index(value)]


def _short(value: float) -> str:
    try:
        return f"{value:g}"
    except OverflowError:  # JSON's integers have no end, a float's range has
        return f"{Decimal(value):.3g}"

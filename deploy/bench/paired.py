"""Compares two things fairly on a machine that is not quiet: turn by turn, and by medians.

Whatever else the machine does, it does to both: each pair is measured back to back, every second pair in reverse order,
so that neither side always comes first. The first pair only warms caches and is not counted.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

Measure = Callable[[], float]
"""Measures once; larger is slower, or more."""


@dataclass(frozen=True)
class Series:
    """Values of one side, in the order in which they were measured; at least one."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        return median(self.values)

    def __str__(self) -> str:
        """`2.31 (2.20 to 2.56)`: the median, and from the least to the largest."""
        return f"{self.median:.2f} ({min(self.values):.2f} to {max(self.values):.2f})"


@dataclass(frozen=True)
class Pairs:
    """`ours[n]` and `theirs[n]` were measured back to back."""

    ours: Series
    theirs: Series

    @property
    def ratios(self) -> Series:
        """Ours divided by theirs, pair by pair."""
        return Series(tuple(ours / theirs for ours, theirs in zip(self.ours.values, self.theirs.values, strict=True)))


def measure_pairs(ours: Measure, theirs: Measure, count: int, tell: Callable[[int], None]) -> Pairs:
    """Measure `count` pairs after one that is not counted. `tell` hears the number of each pair before it, from 0."""
    measured = [_measure_pair(number, ours, theirs, tell) for number in range(count + 1)]
    return _pairs(measured[1:])


def _measure_pair(number: int, ours: Measure, theirs: Measure, tell: Callable[[int], None]) -> tuple[float, float]:
    tell(number)
    if number % 2:
        first = theirs()
        return ours(), first
    return ours(), theirs()


def _pairs(measured: Sequence[tuple[float, float]]) -> Pairs:
    return Pairs(Series(tuple(ours for ours, _ in measured)), Series(tuple(theirs for _, theirs in measured)))

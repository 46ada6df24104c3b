"""What repeated runs say: mean and confidence interval. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, stdev
from typing import Final

# Student's t, two-sided 95%, by degrees of freedom 1..30; beyond, the normal distribution's is near enough.
_T95: Final = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip
_NORMAL95: Final = 1.96

ROOM: Final = 0.1
"""Of the larger value: single runs that differ by less count as the same, as no interval tells their noise."""


@dataclass(frozen=True)
class Estimate:
    """The mean of `count` runs; the 95% confidence interval is `mean ± half_width`, None for a single run."""

    mean: float
    half_width: float | None
    count: int

    def like(self, other: "Estimate") -> bool:
        """Whether the two cannot be told apart: their intervals meet, or single runs differ by less than `ROOM`."""
        apart = abs(self.mean - other.mean)
        if self.half_width is None or other.half_width is None:
            return apart <= ROOM * max(abs(self.mean), abs(other.mean))
        return apart <= self.half_width + other.half_width


def estimate(values: Sequence[float]) -> Estimate | None:
    """Of independent runs; None without any. The interval is Student's, which assumes about normal values."""
    count = len(values)
    if not count:
        return None
    if count == 1:
        return Estimate(values[0], None, 1)
    t = _T95[count - 2] if count - 1 <= len(_T95) else _NORMAL95
    return Estimate(fmean(values), t * stdev(values) / sqrt(count), count)

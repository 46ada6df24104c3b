"""Times in buckets that grow by 2%: constant memory, constant cost, percentiles that are off by 1% at most."""

from collections import Counter
from math import ceil, floor, log, sqrt
from typing import Final

_GROWTH: Final = 1.02
_LEAST_S: Final = 1e-6


class Histogram:
    """Seconds in, percentiles out. The maximum is exact."""

    def __init__(self) -> None:
        self._buckets: Counter[int] = Counter()
        self.count = 0
        self.max = 0.0

    def record(self, seconds: float) -> None:
        self._buckets[floor(log(max(seconds, _LEAST_S)) / log(_GROWTH))] += 1
        self.count += 1
        self.max = max(self.max, seconds)

    def percentile(self, share: float) -> float | None:
        """The value that `share` (0..1] of all values do not exceed; None when there are none."""
        left = max(1, ceil(share * self.count))
        for bucket in sorted(self._buckets):
            left -= self._buckets[bucket]
            if left <= 0:
                return min(self.max, _GROWTH**bucket * sqrt(_GROWTH))
        return None

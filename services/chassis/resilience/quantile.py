"""A quantile of the last so many values, such as the 95th percentile of what calls took."""

from collections import deque
from collections.abc import Iterable

_RECKONED_EVERY = 8  # values; a quantile of many hardly moves with one


class Quantile:
    """Keeps the last `window` values; of fewer than `minimum` nothing is said."""

    def __init__(self, share: float, window: int, minimum: int) -> None:
        self._share, self._minimum = share, minimum
        self._values: deque[float] = deque(maxlen=window)
        self._new = 0
        self._value: float | None = None

    def add(self, value: float) -> None:
        self._values.append(value)
        self._new += 1
        if len(self._values) >= self._minimum and (self._value is None or self._new >= _RECKONED_EVERY):
            self._value, self._new = _nearest_rank(self._values, self._share), 0

    def value(self) -> float | None:
        """The quantile as of one of the last few values."""
        return self._value


def _nearest_rank(values: Iterable[float], share: float) -> float:
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(share * len(ranked)))]

"""A bounded memory of growing counts."""

from array import array
from bisect import bisect_right
from collections.abc import Sequence


class Ring:
    """Rows of cumulative counts, `width` in each, for `horizon_s` seconds, and no two closer than `step_s`.

    Its memory is bounded by (horizon / step) rows, of 8 bytes for each count and the time. Times only grow: they are
    of a monotonic clock.
    """

    def __init__(self, width: int, horizon_s: float, step_s: float) -> None:
        self._step_s, self._most = step_s, int(horizon_s / step_s) + 2
        self._times = array("d")
        self._columns = [array("d") for _ in range(width)]

    def __len__(self) -> int:
        return len(self._times)

    def append(self, at_s: float, counts: Sequence[float]) -> None:
        """Keeps a row, unless the last one is too close."""
        if self._times and at_s - self._times[-1] < self._step_s * 0.99:
            return
        self._times.append(at_s)
        for column, count in zip(self._columns, counts, strict=True):
            column.append(count)
        if (excess := len(self._times) - self._most) > 0:
            for column in (self._times, *self._columns):
                del column[:excess]

    def increases(self, now_s: float, window_s: float, counts: Sequence[float]) -> list[float]:
        """How much `counts`, those of now, are more than a window ago; than the oldest row, if that is younger."""
        if not self._times:
            return [0.0 for _ in counts]
        row = max(0, bisect_right(self._times, now_s - window_s) - 1)
        return [count - column[row] for count, column in zip(counts, self._columns, strict=True)]

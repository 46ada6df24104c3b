"""Sliding windows over the results of calls: the last so many calls, or the calls of the last so many seconds.

Both are Resilience4j's (`FixedSizeSlidingWindowMetrics`, `SlidingTimeWindowMetrics`), with its subtract-on-evict: totals
are kept as results come and go, so that a result costs the same however large the window is.
"""

from collections import deque
from typing import Protocol

from services.chassis.resilience.clock import Clock

Totals = tuple[int, int, int]
"""Calls, those that failed, and those that were slow. A plain tuple, as one is made for each call."""

_EMPTY: Totals = (0, 0, 0)


class SlidingWindow(Protocol):
    """Totals of the results that are in the window.

    `totals` is replaced as a whole, and may be read from any thread; it is as of the last result.
    """

    totals: Totals

    def record(self, failed: bool, slow: bool) -> Totals:
        """Takes one result in, lets go what has left the window, and returns the totals."""
        ...


class CountWindow:
    """The last `size` calls."""

    __slots__ = ("_results", "_size", "totals")

    def __init__(self, size: int) -> None:
        self.totals = _EMPTY
        self._size = size
        self._results: deque[tuple[bool, bool]] = deque(maxlen=size)

    def record(self, failed: bool, slow: bool) -> Totals:
        calls, failures, slows = self.totals
        if calls == self._size:
            was_failed, was_slow = self._results[0]
            self.totals = totals = (calls, failures + failed - was_failed, slows + slow - was_slow)
        else:
            self.totals = totals = (calls + 1, failures + failed, slows + slow)
        self._results.append((failed, slow))
        return totals


class TimeWindow:
    """The calls of the current second and of the `seconds` - 1 before it; seconds are those of `clock`.

    Holds a number for each second that had calls; a gap in traffic is made up for by the first call after it, each second
    once.
    """

    __slots__ = ("_buckets", "_clock", "_seconds", "totals")

    def __init__(self, seconds: int, clock: Clock) -> None:
        self.totals = _EMPTY
        self._seconds, self._clock = seconds, clock
        self._buckets: deque[tuple[int, Totals]] = deque()

    def record(self, failed: bool, slow: bool) -> Totals:
        second = int(self._clock())
        calls, failures, slows = self._without_those_before(second - self._seconds + 1)
        self.totals = totals = (calls + 1, failures + failed, slows + slow)
        buckets = self._buckets
        if buckets and buckets[-1][0] == second:
            of_second = buckets[-1][1]
            buckets[-1] = (second, (of_second[0] + 1, of_second[1] + failed, of_second[2] + slow))
        else:
            buckets.append((second, (1, int(failed), int(slow))))
        return totals

    def _without_those_before(self, oldest: int) -> Totals:
        totals, buckets = self.totals, self._buckets
        while buckets and buckets[0][0] < oldest:
            gone = buckets.popleft()[1]
            totals = (totals[0] - gone[0], totals[1] - gone[1], totals[2] - gone[2])
        return totals

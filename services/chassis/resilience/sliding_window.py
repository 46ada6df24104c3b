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
        self._buckets: deque[list[int]] = deque()  # the second, and its totals

    def record(self, failed: bool, slow: bool) -> Totals:
        second, buckets = int(self._clock()), self._buckets
        if buckets and buckets[0][0] <= second - self._seconds:
            self._let_go(second - self._seconds)
        if buckets and buckets[-1][0] == second:
            bucket = buckets[-1]
            bucket[1] += 1
            bucket[2] += failed
            bucket[3] += slow
        else:
            buckets.append([second, 1, int(failed), int(slow)])
        calls, failures, slows = self.totals
        self.totals = totals = (calls + 1, failures + failed, slows + slow)
        return totals

    def _let_go(self, newest: int) -> None:
        """Takes the seconds up to `newest` out of the totals."""
        calls, failures, slows = self.totals
        while self._buckets and self._buckets[0][0] <= newest:
            _, gone_calls, gone_failures, gone_slows = self._buckets.popleft()
            calls, failures, slows = calls - gone_calls, failures - gone_failures, slows - gone_slows
        self.totals = (calls, failures, slows)

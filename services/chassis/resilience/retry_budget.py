"""The retry budget: how many attempts beyond the first a peer may be sent, as a ratio of live traffic.

It bounds amplification where a limit on attempts alone does not: with three attempts each, a dead peer gets three times
its load, exactly when it can bear least. See the SRE book, "Handling Overload", on per-client retry budgets, and
Finagle's RetryBudget for calls that expire after a while. Unlike there the floor for quiet callers replaces the ratio
where it is higher, instead of being added to it, and there is no credit at the start. So in no window are there more
retries than `ratio` of its calls (`floor_per_s` of its seconds, where that is more), and none over a whole run either.

Nor is what a quiet window saved up spent at once, on a peer that has just failed: the tenths of a window have the same
bound, each for itself, but for two retries that each may take. So a busy caller's ratio holds during an outage alone too.
"""

from collections import deque
from dataclasses import dataclass

from services.chassis.resilience.clock import Clock

_SLICES = 10
_AT_ONCE = 2  # retries in a slice, whatever its own calls: few calls fail together, and would go without


@dataclass(frozen=True)
class RetryBudgetConfig:
    """`ratio` of retries to calls, `floor_per_s` retries where that is more, both over the last `window_s` seconds."""

    ratio: float = 0.2
    floor_per_s: float = 0.2
    window_s: float = 10.0

    def __post_init__(self) -> None:
        if not 0 < self.ratio <= 1:
            raise ValueError(f"ratio must be above 0 and at most 1, not {self.ratio}")
        if not 0 <= self.floor_per_s <= 10:
            raise ValueError(f"floor_per_s must be 0 to 10, not {self.floor_per_s}")
        if not 1 <= self.window_s <= 60:
            raise ValueError(f"window_s must be 1 to 60 s, not {self.window_s}")


@dataclass
class _Slice:
    """What happened in one slice of time; they are numbered from the start."""

    number: int
    calls: int = 0
    retries: int = 0


class RetryBudget:
    """The budget of one peer. Holds as many numbers as a window has slices, whatever the traffic."""

    def __init__(self, config: RetryBudgetConfig, clock: Clock) -> None:
        self.config, self._clock = config, clock
        self._slice_s = config.window_s / _SLICES
        self._started = clock()
        self._slices: deque[_Slice] = deque([_Slice(0)])
        self._next_begins = self._started + self._slice_s
        self._calls = self._retries = 0

    def deposit(self) -> None:
        """Notes a logical call."""
        self._now().calls += 1
        self._calls += 1

    def withdraw(self) -> bool:
        """Takes a retry; False, and takes none, where the budget has none left."""
        current = self._now()
        at_once = max(self.config.ratio * current.calls, _AT_ONCE)
        if min(self._allowed(current.number, self._calls) - self._retries, at_once - current.retries) + _ROUNDING < 1:
            return False
        current.retries += 1
        self._retries += 1
        return True

    def balance(self) -> float:
        """Retries that the window has left, parts of one included; never below zero. Changes nothing: from any thread."""
        number = self._number()
        within = [each for each in tuple(self._slices) if each.number > number - _SLICES]
        calls, retries = sum(each.calls for each in within), sum(each.retries for each in within)
        return max(0.0, self._allowed(number, calls) - retries)

    def _allowed(self, number: int, calls: int) -> float:
        """Retries that a window of so many calls allows, which ends with that slice."""
        seconds = min(number, _SLICES) * self._slice_s
        return max(self.config.ratio * calls, self.config.floor_per_s * seconds)

    def _number(self) -> int:
        return int((self._clock() - self._started) / self._slice_s)

    def _now(self) -> _Slice:
        """The slice of this moment."""
        if self._clock() >= self._next_begins:
            self._begin(self._number())
        return self._slices[-1]

    def _begin(self, number: int) -> None:
        """Begins the slice of that number, unless rounding says that it is the last one yet; forgets those before the window."""
        if number > self._slices[-1].number:
            self._slices.append(_Slice(number))
            self._next_begins = self._started + (number + 1) * self._slice_s
        while self._slices[0].number <= number - _SLICES:
            gone = self._slices.popleft()
            self._calls -= gone.calls
            self._retries -= gone.retries


_ROUNDING = 1e-9  # five times a fifth is one

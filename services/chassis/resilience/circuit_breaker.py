"""The circuit breaker: stops calling a peer that mostly fails or is slow, and tries it again after a while.

Resilience4j's semantics (its `CircuitBreakerStateMachine`, and its documentation's page "CircuitBreaker"), without its
scheduler: what is due by time happens when somebody calls or looks. The states are described at `BreakerState`.

- The failure rate and the rate of slow calls are judged with each result, once the window holds `minimum_calls`; a rate
  that reaches its threshold opens the breaker.
- Half open, only the calls permitted there count, in a window of that size; they are judged when all are in, or when
  there are `minimum_calls`, if that is fewer. Meanwhile others are refused. A call that says nothing about the peer gives
  its permit back. What takes longer than `half_open_max_wait_s` opens the breaker again.
- The wait backs off with each opening in a row, and starts over once the breaker has closed.

Different from there: the end of a wait belongs to the time after it; and results never count that belong to a call which
was let pass in an older state, or in the same state before it was left, be it that the breaker has closed again.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from threading import RLock
from typing import Literal, NoReturn

from services.chassis.resilience.clock import Clock
from services.chassis.resilience.events import BreakerEvent, BreakerRejected, BreakerState, BreakerTransition
from services.chassis.resilience.sliding_window import CountWindow, SlidingWindow, TimeWindow

Result = Literal["success", "failure", "ignored"]
"""What a call says about the peer; `ignored`: nothing."""


@dataclass(frozen=True)
class CircuitBreakerConfig:
    """When to open, for how long, and how to try again.

    `window_size` is in calls for a `count` window, in seconds for a `time` window. Rates are in percent, above 0 to 100. A
    call is slow that took more than `slow_call_duration_s`. Waits grow by `open_wait_multiplier` up to `open_wait_max_s`,
    and are spread by `open_wait_jitter`, a share of them, to either side. `half_open_max_wait_s` 0: there is no limit.
    """

    window: Literal["count", "time"] = "count"
    window_size: int = 100
    minimum_calls: int = 100
    failure_rate_threshold: float = 50.0
    slow_call_rate_threshold: float = 100.0
    slow_call_duration_s: float = 60.0
    half_open_permitted_calls: int = 10
    half_open_max_wait_s: float = 0.0
    open_wait_s: float = 60.0
    open_wait_multiplier: float = 1.0
    open_wait_max_s: float = 600.0
    open_wait_jitter: float = 0.0

    def __post_init__(self) -> None:
        if self.window not in ("count", "time"):
            raise ValueError(f"window must be count or time, not {self.window}")
        self._check_whole("window_size", 10_000 if self.window == "count" else 3_600)
        self._check_whole("minimum_calls", 10_000)
        self._check_whole("half_open_permitted_calls", 1_000)
        for name in ("failure_rate_threshold", "slow_call_rate_threshold"):
            self._check(name, "above 0 to 100 %", 0 < getattr(self, name) <= 100)
        for name in ("slow_call_duration_s", "open_wait_s"):
            self._check(name, "above 0 s and finite", 0 < getattr(self, name) < math.inf)
        self._check(
            "open_wait_max_s", "finite, and open_wait_s or more", self.open_wait_s <= self.open_wait_max_s < math.inf
        )
        self._check("open_wait_multiplier", "1 to 10", 1 <= self.open_wait_multiplier <= 10)
        self._check("open_wait_jitter", "0 or more, below 1", 0 <= self.open_wait_jitter < 1)
        self._check("half_open_max_wait_s", "0 s or more and finite", 0 <= self.half_open_max_wait_s < math.inf)

    def _check_whole(self, name: str, most: int) -> None:
        self._check(name, f"1 to {most}", 1 <= getattr(self, name) <= most)

    def _check(self, name: str, must_be: str, holds: bool) -> None:
        if not holds:
            raise ValueError(f"{name} must be {must_be}, not {getattr(self, name)}")


class CallNotPermitted(Exception):  # noqa: N818  # the pattern's own name for it; whoever composes translates it
    """The breaker lets no call pass in `state`.

    `retry_after`: seconds until one may; None where nobody knows, as when it is forced open, or half open with its calls
    under way.
    """

    def __init__(self, state: BreakerState, retry_after: float | None) -> None:
        super().__init__(f"the circuit breaker is {state.replace('_', ' ')}")
        self.state, self.retry_after = state, retry_after


@dataclass(frozen=True)
class BreakerSnapshot:
    """How a breaker stands. Rates are in percent, None before there are enough calls; all as of the last result."""

    state: BreakerState
    calls: int
    failure_rate: float | None
    slow_call_rate: float | None
    retry_after: float | None


_NEVER = math.inf


class _Generation:
    """A state from its beginning until it is left; what is counted in it goes with it.

    `until` is a moment on the clock; `wait_s` the open wait, before jitter, that led to it or is going on, 0 for none.
    """

    __slots__ = ("minimum", "permits", "state", "until", "wait_s", "window")

    def __init__(
        self,
        state: BreakerState,
        *,
        permits: float = 0,
        window: SlidingWindow | None = None,
        minimum: int = 0,
        until: float = math.inf,
        wait_s: float = 0.0,
    ) -> None:
        self.state, self.permits, self.window = state, permits, window
        self.minimum, self.until, self.wait_s = minimum, until, wait_s


class Permit:
    """One call's leave to pass. Its result is to be recorded, whatever it is; what is recorded again does not count."""

    __slots__ = ("_generation", "_record")

    def __init__(self, record: Callable[[_Generation, Result, float], None], generation: _Generation) -> None:
        self._record = record
        self._generation: _Generation | None = generation

    def record(self, outcome: Result, duration_s: float) -> None:
        """Tells the breaker what the call says about the peer, and how long it took."""
        generation, self._generation = self._generation, None
        if generation is not None:
            self._record(generation, outcome, duration_s)


class CircuitBreaker:
    """The breaker of one peer.

    Calls are made in one thread. The state may be looked at and switched from any: a switch replaces the generation as a
    whole, and a generation that was replaced can no longer do so itself. `listener` is told of transitions in their order,
    in the thread that caused them.
    """

    def __init__(
        self, config: CircuitBreakerConfig, clock: Clock, listener: Callable[[BreakerEvent], None], rng: Random
    ) -> None:
        self.config, self._clock, self._tell, self._rng = config, clock, listener, rng
        self._switching = RLock()
        self._recorded = self._record
        self._generation = self._closed()

    def acquire(self) -> Permit:
        """Leave for one call. Raises `CallNotPermitted`."""
        generation = self._generation
        if generation.until != _NEVER:
            generation = self._due()
        if generation.permits <= 0:
            self._refuse(generation)
        generation.permits -= 1
        return Permit(self._recorded, generation)

    @property
    def state(self) -> BreakerState:
        """The state now. Open, it remains so after its wait until somebody calls."""
        return self._current().state

    def snapshot(self) -> BreakerSnapshot:
        generation = self._current()
        calls, failures, slows = generation.window.totals if generation.window else (0, 0, 0)
        enough = calls > 0 and calls >= generation.minimum
        return BreakerSnapshot(
            generation.state,
            calls,
            failures * 100 / calls if enough else None,
            slows * 100 / calls if enough else None,
            self._retry_after(generation),
        )

    def force_open(self) -> None:
        """Lets no call pass until `reset`."""
        self._switch(_Generation(BreakerState.FORCED_OPEN))

    def disable(self) -> None:
        """Lets every call pass, whatever becomes of it, until `reset`."""
        self._switch(_Generation(BreakerState.DISABLED, permits=math.inf))

    def reset(self) -> None:
        """Closes it and forgets all results."""
        self._switch(self._closed())

    def _switch(self, new: _Generation) -> None:
        with self._switching:
            self._move(self._generation, new)

    def _move(self, old: _Generation, new: _Generation) -> None:
        """Replaces `old`, unless somebody else has done it already."""
        with self._switching:
            if self._generation is old:
                self._generation = new
                if old.state is not new.state:
                    self._tell(BreakerTransition(old.state, new.state))

    def _current(self) -> _Generation:
        """The generation in force, after a half-open one that took too long was ended."""
        generation = self._generation
        if generation.state is BreakerState.HALF_OPEN and self._clock() >= generation.until:
            self._move(generation, self._open(generation.wait_s, generation.until))
        return self._generation

    def _due(self) -> _Generation:
        """As `_current`, for a call: an open one whose wait is over becomes half open."""
        generation = self._current()
        if generation.state is BreakerState.OPEN and self._clock() >= generation.until:
            self._move(generation, self._half_open(generation.wait_s))
        return self._generation

    def _record(self, generation: _Generation, outcome: Result, duration_s: float) -> None:
        if generation is not (self._generation if generation.until == _NEVER else self._current()):
            return
        if outcome == "ignored" or generation.window is None:
            generation.permits += 1
            return
        config = self.config
        calls, failures, slows = generation.window.record(
            outcome == "failure", duration_s > config.slow_call_duration_s
        )
        if calls < generation.minimum:
            return
        if (
            failures * 100 >= config.failure_rate_threshold * calls
            or slows * 100 >= config.slow_call_rate_threshold * calls
        ):
            self._move(generation, self._open(generation.wait_s, self._clock()))
        elif generation.state is BreakerState.HALF_OPEN:
            self._move(generation, self._closed())

    def _refuse(self, generation: _Generation) -> NoReturn:
        self._tell(BreakerRejected(generation.state))
        raise CallNotPermitted(generation.state, self._retry_after(generation))

    def _retry_after(self, generation: _Generation) -> float | None:
        return max(0.0, generation.until - self._clock()) if generation.state is BreakerState.OPEN else None

    def _closed(self) -> _Generation:
        size, minimum = self.config.window_size, self.config.minimum_calls
        if self.config.window == "time":
            return _Generation(
                BreakerState.CLOSED, permits=math.inf, window=TimeWindow(size, self._clock), minimum=minimum
            )
        return _Generation(BreakerState.CLOSED, permits=math.inf, window=CountWindow(size), minimum=min(minimum, size))

    def _open(self, last_wait_s: float, at: float) -> _Generation:
        config = self.config
        grown = last_wait_s * config.open_wait_multiplier if last_wait_s else config.open_wait_s
        wait_s = min(grown, config.open_wait_max_s)
        spread = self._rng.uniform(1 - config.open_wait_jitter, 1 + config.open_wait_jitter)
        until = at + min(wait_s * spread, config.open_wait_max_s)
        return _Generation(BreakerState.OPEN, until=until, wait_s=wait_s)

    def _half_open(self, wait_s: float) -> _Generation:
        permits, limit = self.config.half_open_permitted_calls, self.config.half_open_max_wait_s
        return _Generation(
            BreakerState.HALF_OPEN,
            permits=permits,
            window=CountWindow(permits),
            minimum=min(self.config.minimum_calls, permits),
            until=self._clock() + limit if limit else math.inf,
            wait_s=wait_s,
        )

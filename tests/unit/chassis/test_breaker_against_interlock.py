"""The breaker beside an independent one of the same family, `interlock`, on histories that hypothesis makes up.

Histories do not go where the two mean different things. That they differ there is tested below, where interlock has the
thing at all; each time ours does as Resilience4j does:

| what                                          | ours                                | interlock's                       |
|-----------------------------------------------|-------------------------------------|-----------------------------------|
| a call that took just as long as the limit    | is not slow                         | is slow                           |
| more minimum calls than a count window holds  | as many as it holds are enough      | it is never judged                |
| half open, minimum below the permitted calls  | judged at the minimum               | judged when all are in            |
| half open, calls that never reached the peer  | give their permit back, every time  | after so many it opens again      |
| half open, calls at once                      | all that are permitted              | one, unless it is told otherwise  |
| half open for too long                        | opens again                         | there is no limit                 |
| jitter of the open wait                       | a share of it                       | there is none                     |
"""

import asyncio
from contextvars import Context, copy_context
from dataclasses import replace
from random import Random
from typing import Any

import interlock
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from services.chassis.resilience.circuit_breaker import (
    CallNotPermitted,
    CircuitBreaker,
    CircuitBreakerConfig,
    Permit,
    Result,
)
from tests.conftest import Counts
from tests.fakes.clock import FakeClock

SLOW_S = 1.5


class UnreachedError(Exception):
    """A call that never reached the peer, as interlock is told."""


ERRORS: dict[Result, BaseException | None] = {
    "success": None,
    "failure": ConnectionError(),
    "ignored": asyncio.CancelledError(),
}


class Theirs:
    """An interlock breaker configured as one of ours, made to take overlapping calls: each has a context of its own."""

    def __init__(self, config: interlock.Config, clock: FakeClock) -> None:
        self._breaker = interlock.CircuitBreaker(
            name="theirs", config=config, clock=_Monotonic(clock), unreachable_exceptions=(UnreachedError,)
        )

    @property
    def state(self) -> str:
        return str(self._breaker.state)

    def acquire(self) -> Context | None:
        context = copy_context()
        try:
            context.run(self._breaker.__enter__)
        except interlock.CircuitOpenError:
            return None
        return context

    def record(self, context: Context, error: BaseException | None) -> None:
        context.run(self._breaker.__exit__, type(error) if error else None, error, None)

    def switch(self, name: str) -> None:
        getattr(self._breaker, name)()


class _Monotonic:
    def __init__(self, clock: FakeClock) -> None:
        self.monotonic = clock


def translated(config: CircuitBreakerConfig) -> interlock.Config:
    return interlock.Config(
        failure_rate_threshold=config.failure_rate_threshold / 100,
        slow_call_rate_threshold=config.slow_call_rate_threshold / 100,
        slow_call_duration_threshold=config.slow_call_duration_s,
        minimum_number_of_calls=config.minimum_calls,
        permitted_calls_in_half_open=config.half_open_permitted_calls,
        max_concurrent_probes=config.half_open_permitted_calls,
        wait_duration_in_open=config.open_wait_s,
        wait_duration_backoff_multiplier=config.open_wait_multiplier,
        wait_duration_in_open_max=config.open_wait_max_s,
        window_type=interlock.WindowType.COUNT_BASED if config.window == "count" else interlock.WindowType.TIME_BASED,
        window_size=config.window_size,
    )


@st.composite
def shared_configs(draw: st.DrawFn) -> CircuitBreakerConfig:
    """Those for which the two mean the same."""
    window = draw(st.sampled_from(["count", "time"]))
    size, minimum = draw(st.integers(1, 8)), draw(st.integers(1, 6))
    return CircuitBreakerConfig(
        window="count" if window == "count" else "time",
        window_size=max(size, minimum) if window == "count" else size,
        minimum_calls=minimum,
        failure_rate_threshold=draw(st.sampled_from([1.0, 10.0, 25.0, 50.0, 75.0, 100.0])),
        slow_call_rate_threshold=draw(st.sampled_from([10.0, 50.0, 100.0])),
        slow_call_duration_s=SLOW_S + 0.1,  # no call takes just as long: see the table
        half_open_permitted_calls=draw(st.integers(1, minimum)),
        open_wait_s=4.0,
        open_wait_multiplier=draw(st.sampled_from([1.0, 2.0])),
        open_wait_max_s=20.0,
    )


class BothMachine(RuleBasedStateMachine):
    """Both breakers get the same calls at the same times."""

    @initialize(config=shared_configs())
    def make(self, config: CircuitBreakerConfig) -> None:
        self.clock = FakeClock()
        self.ours = CircuitBreaker(config, self.clock, lambda _: None, Random(0))
        self.theirs = Theirs(translated(config), self.clock)
        self.calls: list[tuple[float, Permit, Context]] = []

    @rule()
    def call(self) -> None:
        theirs = self.theirs.acquire()
        try:
            ours = self.ours.acquire()
        except CallNotPermitted:
            assert theirs is None
            return
        assert theirs is not None
        self.calls.append((self.clock(), ours, theirs))

    @rule(index=st.integers(0, 9), outcome=st.sampled_from(["success", "failure", "failure", "ignored"]))
    @precondition(lambda self: self.calls)
    def end(self, index: int, outcome: Any) -> None:
        began, ours, theirs = self.calls.pop(index % len(self.calls))
        ours.record(outcome, self.clock() - began)
        self.theirs.record(theirs, ERRORS[outcome])

    # Rarely would single steps lead through a whole round of half open.
    @rule(outcomes=st.lists(st.sampled_from(list(ERRORS)), min_size=1, max_size=6), took=st.sampled_from([0.0, 2.0]))
    def call_in_turn(self, outcomes: list[Any], took: float) -> None:
        for outcome in outcomes:
            before = len(self.calls)
            self.call()
            if len(self.calls) > before:
                self.clock.advance(took)
                self.end(-1, outcome)

    @rule(seconds=st.sampled_from([0.25, 1.0, 2.0, 4.0, 20.0]))
    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule(switch=st.sampled_from(["force_open", "disable", "reset", "reset", "reset"]))
    def switch(self, switch: str) -> None:
        getattr(self.ours, switch)()
        self.theirs.switch(switch)

    @invariant()
    def they_agree(self) -> None:
        assert self.ours.state == self.theirs.state


@pytest.mark.long
@pytest.mark.timeout(900)  # time to make a failure small
def test_whatever_happens_the_two_agree(counts: Counts) -> None:
    chosen = settings(max_examples=counts(150, 2_000), stateful_step_count=40, deadline=None)
    run_state_machine_as_test(BothMachine, settings=chosen)


# --- where they differ -----------------------------------------------------------------------------------------------

CONFIG = CircuitBreakerConfig(
    window_size=2, minimum_calls=2, slow_call_duration_s=SLOW_S, half_open_permitted_calls=2, open_wait_s=4.0
)


class Both:
    """One of each, for calls one after the other."""

    def __init__(self, **changes: Any) -> None:
        config = replace(CONFIG, **changes)
        self.clock = FakeClock()
        self.ours = CircuitBreaker(config, self.clock, lambda _: None, Random(0))
        self.theirs = Theirs(translated(config), self.clock)

    def calls(self, *outcomes: Result, took: float = 0.0, error: BaseException | None = None) -> None:
        for outcome in outcomes:
            ours, theirs = self.ours.acquire(), self.theirs.acquire()
            assert theirs is not None
            self.clock.advance(took)
            ours.record(outcome, took)
            self.theirs.record(theirs, error or ERRORS[outcome])

    def half_opened(self) -> "Both":
        while self.ours.state == "closed":
            self.calls("failure")
        self.clock.advance(4.0)
        return self

    @property
    def states(self) -> tuple[str, str]:
        return str(self.ours.state), self.theirs.state


def test_they_differ_about_a_call_that_took_just_as_long_as_the_limit() -> None:
    it = Both()
    it.calls("success", "success", took=SLOW_S)
    assert it.states == ("closed", "open")


def test_they_differ_about_a_minimum_that_a_count_window_cannot_hold() -> None:
    it = Both(minimum_calls=3)
    it.calls("failure", "failure")
    assert it.states == ("open", "closed")


def test_they_differ_about_when_the_calls_of_half_open_are_judged() -> None:
    it = Both(half_open_permitted_calls=3).half_opened()
    it.calls("success", "success")
    assert it.states == ("closed", "half_open")


def test_they_differ_about_calls_that_never_reached_the_peer() -> None:
    it = Both().half_opened()
    it.calls("ignored", "ignored", error=UnreachedError())
    assert it.states == ("half_open", "open")


def test_they_differ_about_how_many_calls_may_be_under_way_half_open() -> None:
    it = Both().half_opened()
    it.theirs = Theirs(replace(translated(CONFIG), max_concurrent_probes=1), it.clock)
    for _ in range(2):
        failed = it.theirs.acquire()
        assert failed is not None
        it.theirs.record(failed, ERRORS["failure"])
    it.clock.advance(4.0)
    it.ours.acquire()
    it.ours.acquire()
    assert it.theirs.acquire() is not None
    assert it.theirs.acquire() is None

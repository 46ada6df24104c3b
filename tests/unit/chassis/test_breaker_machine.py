"""A breaker beside a model of it, driven in every way hypothesis thinks of.

The model is as simple as can be: it keeps every result with its time, and counts anew each time it is asked.
"""

from dataclasses import dataclass, field
from random import Random
from typing import Any

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
from services.chassis.resilience.events import BreakerEvent, BreakerRejected, BreakerState, BreakerTransition
from tests.conftest import Counts
from tests.fakes.clock import FakeClock

CLOSED, OPEN, HALF_OPEN = BreakerState.CLOSED, BreakerState.OPEN, BreakerState.HALF_OPEN
SLOW_S = 1.0

configs = st.builds(
    CircuitBreakerConfig,
    window=st.sampled_from(["count", "time"]),
    window_size=st.integers(1, 4),
    minimum_calls=st.sampled_from([1, 1, 2, 2, 3, 5]),
    failure_rate_threshold=st.sampled_from([1.0, 34.0, 50.0, 100.0]),
    slow_call_rate_threshold=st.sampled_from([1.0, 50.0, 100.0]),
    slow_call_duration_s=st.just(SLOW_S),
    half_open_permitted_calls=st.integers(1, 3),
    half_open_max_wait_s=st.sampled_from([0.0, 3.0]),
    open_wait_s=st.just(4.0),
    open_wait_multiplier=st.sampled_from([1.0, 2.0]),
    open_wait_max_s=st.just(10.0),
)
results = st.sampled_from(["success", "failure", "failure", "ignored"])


@dataclass
class Era:
    """One state from its beginning to its end, with all that happened in it."""

    state: BreakerState
    began: float
    opening: int = 0  # how many in a row
    results: list[tuple[float, bool, bool]] = field(default_factory=list)
    passed: int = 0


class Model:
    """What a breaker does, said in terms of all that has happened."""

    def __init__(self, config: CircuitBreakerConfig, now: float) -> None:
        self.config, self.era = config, Era(CLOSED, now)

    def ends(self) -> float:
        """When the era is over by time alone."""
        config, era = self.config, self.era
        if era.state is OPEN:
            grown = config.open_wait_s * config.open_wait_multiplier ** (era.opening - 1)
            return era.began + min(grown, config.open_wait_max_s)
        limited = era.state is HALF_OPEN and config.half_open_max_wait_s
        return era.began + config.half_open_max_wait_s if limited else float("inf")

    def look(self, now: float) -> BreakerState:
        if self.era.state is HALF_OPEN and now >= self.ends():
            self.era = Era(OPEN, self.ends(), self.era.opening + 1)
        return self.era.state

    def call(self, now: float) -> Era | None:
        """The era in which the call passes; None: it does not."""
        if self.look(now) is OPEN and now >= self.ends():
            self.era = Era(HALF_OPEN, now, self.era.opening)
        state, limit = self.era.state, self.config.half_open_permitted_calls
        if state in {OPEN, BreakerState.FORCED_OPEN} or (state is HALF_OPEN and self.era.passed == limit):
            return None
        self.era.passed += 1
        return self.era

    def ended(self, era: Era, outcome: Result, slow: bool, now: float) -> None:
        self.look(now)
        if era is not self.era or era.state not in {CLOSED, HALF_OPEN}:
            return
        if outcome == "ignored":
            era.passed -= 1
            return
        era.results.append((now, outcome == "failure", slow))
        self._judge(now)

    def _judge(self, now: float) -> None:
        config, era, minimum = self.config, self.era, self.config.minimum_calls
        if era.state is HALF_OPEN:
            counted, minimum = era.results, min(minimum, config.half_open_permitted_calls)
        elif config.window == "count":
            counted, minimum = era.results[-config.window_size :], min(minimum, config.window_size)
        else:
            counted = [each for each in era.results if int(now) - int(each[0]) < config.window_size]
        if len(counted) < minimum:
            return
        failures, slows = sum(each[1] for each in counted), sum(each[2] for each in counted)
        too_many = failures / len(counted) >= config.failure_rate_threshold / 100
        if too_many or slows / len(counted) >= config.slow_call_rate_threshold / 100:
            self.era = Era(OPEN, now, era.opening + 1)
        elif era.state is HALF_OPEN:
            self.era = Era(CLOSED, now)


class BreakerMachine(RuleBasedStateMachine):
    """Makes calls that overlap, lets time pass, switches by hand, and compares after each step."""

    @initialize(config=configs)
    def make(self, config: CircuitBreakerConfig) -> None:
        self.clock, self.told = FakeClock(), list[BreakerEvent]()
        self.breaker = CircuitBreaker(config, self.clock, self.told.append, Random(0))
        self.model = Model(config, self.clock())
        self.calls: list[tuple[Permit, Era]] = []
        self.recorded: list[Permit] = []
        self.refusals = 0

    @rule()
    def call(self) -> None:
        era = self.model.call(self.clock())
        if era is None:
            self._check_refused()
        else:
            self.calls.append((self.breaker.acquire(), era))

    @rule(index=st.integers(0, 9), outcome=results, slow=st.booleans())
    @precondition(lambda self: self.calls)
    def end(self, index: int, outcome: Any, slow: bool) -> None:
        permit, era = self.calls.pop(index % len(self.calls))
        permit.record(outcome, SLOW_S + 0.5 if slow else SLOW_S)
        self.model.ended(era, outcome, slow, self.clock())
        self.recorded.append(permit)

    @rule(index=st.integers(0, 9), outcome=results)
    @precondition(lambda self: self.recorded)
    def end_again(self, index: int, outcome: Any) -> None:
        self.recorded[index % len(self.recorded)].record(outcome, SLOW_S)

    # Rarely would single steps lead through a whole round of half open.
    @rule(outcomes=st.lists(results, min_size=1, max_size=6), slow=st.booleans())
    def call_in_turn(self, outcomes: list[Any], slow: bool) -> None:
        for outcome in outcomes:
            before = len(self.calls)
            self.call()
            if len(self.calls) > before:
                self.end(-1, outcome, slow)

    @rule(seconds=st.sampled_from([-0.25, 0.0, 0.25]))
    @precondition(lambda self: self.model.ends() < float("inf"))
    def wait_until_it_ends(self, seconds: float) -> None:
        self.clock.now = max(self.clock.now, self.model.ends() + seconds)

    @rule(seconds=st.sampled_from([0.25, 1.0, 3.0, 4.0, 10.0]))
    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule(switch=st.sampled_from(["force_open", "disable", "reset", "reset"]))
    def switch(self, switch: str) -> None:
        self.model.look(self.clock())
        getattr(self.breaker, switch)()
        states = {"force_open": BreakerState.FORCED_OPEN, "disable": BreakerState.DISABLED, "reset": CLOSED}
        self.model.era = Era(states[switch], self.clock())

    @invariant()
    def they_agree(self) -> None:
        assert self.breaker.state is self.model.look(self.clock())

    @invariant()
    def transitions_follow_from_each_other_and_every_refusal_is_told(self) -> None:
        moves = [each for each in self.told if isinstance(each, BreakerTransition)]
        states = [CLOSED, *(each.new for each in moves)]
        assert [each.old for each in moves] == states[:-1]
        assert self.breaker.state is states[-1]
        assert sum(isinstance(each, BreakerRejected) for each in self.told) == self.refusals

    def _check_refused(self) -> None:
        with pytest.raises(CallNotPermitted) as caught:
            self.breaker.acquire()
        self.refusals += 1
        now, state = self.model.era, caught.value.state
        assert state is now.state
        assert caught.value.retry_after == (self.model.ends() - self.clock() if state is OPEN else None)


@pytest.mark.long
@pytest.mark.timeout(900)  # time to make a failure small
def test_whatever_happens_the_breaker_does_as_its_model(counts: Counts) -> None:
    chosen = settings(max_examples=counts(150, 2_000), stateful_step_count=40, deadline=None)
    run_state_machine_as_test(BreakerMachine, settings=chosen)

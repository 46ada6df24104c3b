import math
from dataclasses import replace
from random import Random
from threading import Thread
from typing import Any

import pytest

from services.chassis.resilience.circuit_breaker import (
    BreakerSnapshot,
    CallNotPermitted,
    CircuitBreaker,
    CircuitBreakerConfig,
    Result,
)
from services.chassis.resilience.events import BreakerEvent, BreakerRejected, BreakerState, BreakerTransition
from tests.fakes.clock import FakeClock

CLOSED, OPEN, HALF_OPEN = BreakerState.CLOSED, BreakerState.OPEN, BreakerState.HALF_OPEN
FORCED_OPEN, DISABLED = BreakerState.FORCED_OPEN, BreakerState.DISABLED

CONFIG = CircuitBreakerConfig(
    window_size=4,
    minimum_calls=4,
    failure_rate_threshold=50,
    slow_call_rate_threshold=75,
    slow_call_duration_s=1.0,
    half_open_permitted_calls=2,
    open_wait_s=10.0,
    open_wait_max_s=40.0,
)


class Bench:
    """A breaker with all that it was given, and what it told."""

    def __init__(self, **changes: Any) -> None:
        self.clock, self.told = FakeClock(), list[BreakerEvent]()
        self.breaker = CircuitBreaker(replace(CONFIG, **changes), self.clock, self.told.append, Random(1))

    def calls(self, *outcomes: Result, times: int = 1, took: float = 0.1) -> None:
        for outcome in outcomes * times:
            self.breaker.acquire().record(outcome, took)

    def refused(self) -> CallNotPermitted:
        with pytest.raises(CallNotPermitted) as caught:
            self.breaker.acquire()
        return caught.value

    def opened(self) -> "Bench":
        while self.breaker.state is CLOSED:
            self.calls("failure")
        return self

    def half_opened(self) -> "Bench":
        self.opened().clock.advance(10.0)
        return self

    @property
    def transitions(self) -> list[tuple[BreakerState, BreakerState]]:
        return [(each.old, each.new) for each in self.told if isinstance(each, BreakerTransition)]


# --- closed ----------------------------------------------------------------------------------------------------------


def test_closed_it_lets_all_pass_and_tells_nothing() -> None:
    it = Bench()
    it.calls("success", times=20)
    assert (it.breaker.state, it.told) == (CLOSED, [])


def test_it_opens_when_the_failure_rate_reaches_its_threshold() -> None:
    it = Bench()
    it.calls("success", "success", "failure")
    assert it.breaker.state is CLOSED
    it.calls("failure")
    assert it.transitions == [(CLOSED, OPEN)]


def test_it_does_not_judge_before_there_are_enough_calls() -> None:
    it = Bench(window_size=10, minimum_calls=5)
    it.calls("failure", "failure", "failure", "failure")
    assert it.breaker.state is CLOSED
    it.calls("failure")
    assert it.breaker.state is OPEN


def test_a_success_can_be_the_result_that_makes_the_calls_enough() -> None:
    it = Bench()
    it.calls("failure", "failure", "failure", "success")
    assert it.breaker.state is OPEN


def test_fewer_calls_than_the_minimum_are_enough_when_a_count_window_holds_no_more() -> None:
    it = Bench(window_size=2, minimum_calls=100)
    it.calls("failure", "failure")
    assert it.breaker.state is OPEN


def test_a_failure_that_left_the_count_window_no_longer_counts() -> None:
    it = Bench()
    it.calls("failure", "success", "success", "success")
    it.calls("success", "failure", "success", "success", "success", "failure")
    assert it.breaker.state is CLOSED
    it.calls("failure")
    assert it.breaker.state is OPEN


def test_a_failure_that_left_the_time_window_no_longer_counts() -> None:
    it = Bench(window="time", window_size=10)
    it.calls("failure", "failure", "failure")
    it.clock.advance(10.0)
    it.calls("failure", "failure", "failure")
    assert it.breaker.state is CLOSED
    it.clock.advance(9.0)
    it.calls("failure")
    assert it.breaker.state is OPEN


def test_it_opens_when_too_many_calls_are_slow_though_they_succeed() -> None:
    it = Bench()
    it.calls("success", "success", "success", took=1.01)
    it.calls("success", took=1.0)
    assert it.transitions == [(CLOSED, OPEN)]


def test_slow_is_what_takes_longer_than_its_limit() -> None:
    it = Bench()
    it.calls("success", times=8, took=1.0)
    assert it.breaker.state is CLOSED


def test_slow_failures_count_to_both_rates() -> None:
    it = Bench(failure_rate_threshold=100)
    it.calls("success", took=0.1)
    it.calls("failure", "failure", "failure", took=2.0)
    assert it.breaker.state is OPEN


def test_ignored_results_count_to_nothing() -> None:
    it = Bench()
    it.calls("ignored", times=20)
    it.calls("failure", "failure", "failure")
    assert it.breaker.snapshot().calls == 3


def test_a_result_recorded_twice_counts_once() -> None:
    it = Bench()
    permit = it.breaker.acquire()
    for _ in range(4):
        permit.record("failure", 0.1)
    assert it.breaker.snapshot().calls == 1


# --- open ------------------------------------------------------------------------------------------------------------


def test_open_it_refuses_and_says_when_to_come_back() -> None:
    it = Bench().opened()
    it.clock.advance(4.0)
    refusal = it.refused()
    assert (refusal.state, refusal.retry_after) == (OPEN, 6.0)
    assert str(refusal) == "the circuit breaker is open"
    assert it.told[-1] == BreakerRejected(OPEN)


def test_it_stays_open_after_the_wait_until_somebody_calls() -> None:
    it = Bench().opened()
    it.clock.advance(100.0)
    assert it.breaker.state is OPEN
    it.breaker.acquire()
    assert it.breaker.state is HALF_OPEN


def test_a_moment_before_the_end_of_the_wait_it_refuses_and_at_its_end_it_does_not() -> None:
    it = Bench().opened()
    it.clock.advance(9.999)
    it.refused()
    it.clock.advance(0.001)
    it.breaker.acquire()


def test_a_call_let_pass_while_closed_does_not_count_when_it_ends_while_open() -> None:
    it = Bench()
    late = it.breaker.acquire()
    it.opened()
    late.record("success", 0.1)
    assert (it.breaker.state, it.breaker.snapshot().calls) == (OPEN, 0)


# --- half open -------------------------------------------------------------------------------------------------------


def test_half_open_it_lets_as_many_pass_as_are_permitted() -> None:
    it = Bench().half_opened()
    it.breaker.acquire()
    it.breaker.acquire()
    refusal = it.refused()
    assert (refusal.state, refusal.retry_after) == (HALF_OPEN, None)


def test_it_closes_when_the_permitted_calls_went_well() -> None:
    it = Bench().half_opened()
    it.calls("success")
    assert it.breaker.state is HALF_OPEN
    it.calls("success")
    assert it.transitions == [(CLOSED, OPEN), (OPEN, HALF_OPEN), (HALF_OPEN, CLOSED)]


def test_it_opens_again_when_too_many_of_them_failed() -> None:
    it = Bench().half_opened()
    it.calls("success", "failure")
    assert it.transitions[-1] == (HALF_OPEN, OPEN)


def test_it_opens_again_when_too_many_of_them_were_slow() -> None:
    it = Bench().half_opened()
    it.calls("success", "success", took=2.0)
    assert it.transitions[-1] == (HALF_OPEN, OPEN)


def test_it_judges_by_the_minimum_of_calls_when_that_is_less_than_what_is_permitted() -> None:
    it = Bench(half_open_permitted_calls=10).half_opened()
    it.calls("success", "success", "success")
    assert it.breaker.state is HALF_OPEN
    it.calls("success")
    assert it.breaker.state is CLOSED


def test_its_window_is_its_own_and_so_is_that_of_the_closed_state_after_it() -> None:
    it = Bench().half_opened()
    it.calls("success", "success")
    it.calls("failure", "failure", "failure")
    assert (it.breaker.state, it.breaker.snapshot().calls) == (CLOSED, 3)


def test_an_ignored_result_gives_its_permit_back() -> None:
    it = Bench().half_opened()
    first, second = it.breaker.acquire(), it.breaker.acquire()
    it.refused()
    first.record("ignored", 0.1)
    first.record("ignored", 0.1)
    second.record("success", 0.1)
    third = it.breaker.acquire()
    it.refused()
    third.record("success", 0.1)
    assert it.breaker.state is CLOSED


def test_a_call_let_pass_while_closed_does_not_count_when_it_ends_half_open() -> None:
    it = Bench()
    late = [it.breaker.acquire() for _ in range(4)]
    it.half_opened().breaker.acquire()
    for each in late:
        each.record("failure", 0.1)
    assert (it.breaker.state, it.breaker.snapshot().calls) == (HALF_OPEN, 0)


def test_a_call_of_an_earlier_half_open_time_does_not_count_in_a_later_one() -> None:
    it = Bench(half_open_permitted_calls=3, minimum_calls=2).half_opened()
    late = it.breaker.acquire()
    it.calls("failure", "failure")
    it.clock.advance(10.0)
    it.breaker.acquire()
    assert it.breaker.state is HALF_OPEN
    late.record("failure", 0.1)
    assert it.breaker.snapshot().calls == 0


def test_a_call_of_an_earlier_closed_time_does_not_count_in_a_later_one() -> None:
    it = Bench()
    late = it.breaker.acquire()
    it.half_opened().calls("success", "success")
    late.record("failure", 0.1)
    assert (it.breaker.state, it.breaker.snapshot().calls) == (CLOSED, 0)


def test_half_open_without_a_limit_it_waits_for_its_calls_for_ever() -> None:
    it = Bench().half_opened()
    permits = [it.breaker.acquire(), it.breaker.acquire()]
    it.clock.advance(1e6)
    it.refused()
    for each in permits:
        each.record("success", 0.1)
    assert it.breaker.state is CLOSED


def test_half_open_for_too_long_it_opens_again_from_that_moment_on() -> None:
    it = Bench(half_open_max_wait_s=5.0).half_opened()
    it.breaker.acquire()
    it.clock.advance(7.0)
    assert it.refused().retry_after == 8.0
    assert it.transitions[-1] == (HALF_OPEN, OPEN)


def test_whoever_looks_sees_that_it_was_half_open_for_too_long() -> None:
    it = Bench(half_open_max_wait_s=5.0).half_opened()
    it.breaker.acquire()
    it.clock.advance(4.999)
    assert it.breaker.state is HALF_OPEN
    it.clock.advance(0.001)
    assert it.breaker.state is OPEN


def test_a_result_that_comes_after_it_was_half_open_for_too_long_does_not_count() -> None:
    it = Bench(half_open_max_wait_s=5.0, half_open_permitted_calls=1).half_opened()
    late = it.breaker.acquire()
    it.clock.advance(5.0)
    late.record("success", 5.0)
    assert it.transitions[-1] == (HALF_OPEN, OPEN)


def test_half_open_for_too_long_and_open_for_long_enough_it_is_half_open_anew() -> None:
    it = Bench(half_open_max_wait_s=5.0).half_opened()
    late = it.breaker.acquire()
    it.clock.advance(15.0)
    it.breaker.acquire()
    assert it.transitions[-2:] == [(HALF_OPEN, OPEN), (OPEN, HALF_OPEN)]
    late.record("failure", 15.0)
    assert it.breaker.snapshot().calls == 0


# --- waits -----------------------------------------------------------------------------------------------------------


def waits(it: Bench, count: int) -> list[float]:
    """How long each of so many openings in a row lasts, as the refusals say."""
    found = []
    for _ in range(count):
        wait = it.refused().retry_after
        assert wait is not None
        found.append(wait)
        it.clock.advance(wait)
        it.calls("failure", "failure")
    return found


def test_the_wait_is_the_same_each_time_unless_it_is_to_grow() -> None:
    assert waits(Bench().opened(), 3) == [10.0, 10.0, 10.0]


def test_the_wait_grows_with_each_opening_in_a_row_up_to_its_limit() -> None:
    assert waits(Bench(open_wait_multiplier=2.0).opened(), 5) == [10.0, 20.0, 40.0, 40.0, 40.0]


def test_the_wait_grows_however_it_came_to_open() -> None:
    it = Bench(open_wait_multiplier=2.0, half_open_max_wait_s=5.0).half_opened()
    it.breaker.acquire()
    it.clock.advance(5.0)
    assert it.refused().retry_after == 20.0


def test_the_wait_starts_over_once_it_has_closed() -> None:
    it = Bench(open_wait_multiplier=2.0).opened()
    waits(it, 2)
    it.clock.advance(40.0)
    it.calls("success", "success")
    assert waits(it.opened(), 2) == [10.0, 20.0]


def test_the_wait_does_not_outgrow_numbers() -> None:
    it = Bench(open_wait_multiplier=10.0, half_open_permitted_calls=1, minimum_calls=1).opened()
    for _ in range(500):
        it.clock.advance(40.0)
        it.calls("failure")
    assert it.refused().retry_after == 40.0


def test_jitter_spreads_the_wait_but_not_beyond_its_limit_and_does_not_add_up() -> None:
    found = waits(Bench(open_wait_multiplier=2.0, open_wait_jitter=0.5).opened(), 50)
    assert 5.0 <= found[0] <= 15.0
    assert 10.0 <= found[1] <= 30.0
    assert all(20.0 <= each <= 40.0 for each in found[2:])
    assert len({round(each, 6) for each in found}) > 10


# --- switched by hand ------------------------------------------------------------------------------------------------


def test_forced_open_it_refuses_for_ever() -> None:
    it = Bench()
    it.breaker.force_open()
    it.clock.advance(1e6)
    refusal = it.refused()
    assert (refusal.state, refusal.retry_after) == (FORCED_OPEN, None)
    assert it.told == [BreakerTransition(CLOSED, FORCED_OPEN), BreakerRejected(FORCED_OPEN)]


def test_disabled_it_lets_all_pass_whatever_becomes_of_them() -> None:
    it = Bench()
    it.breaker.disable()
    it.calls("failure", times=100, took=100.0)
    assert it.told == [BreakerTransition(CLOSED, DISABLED)]


@pytest.mark.parametrize("way", ["opened", "half_opened", "forced", "disabled"])
def test_reset_closes_it_from_wherever_it_is_and_forgets(way: str) -> None:
    it = Bench(open_wait_multiplier=2.0)
    {
        "opened": it.opened,
        "half_opened": it.half_opened,
        "forced": it.breaker.force_open,
        "disabled": it.breaker.disable,
    }[way]()
    it.breaker.reset()
    assert it.breaker.state is CLOSED
    it.calls("failure", "failure", "failure")
    assert it.breaker.state is CLOSED
    it.calls("failure")
    assert it.refused().retry_after == 10.0


def test_reset_while_closed_forgets_and_tells_nothing() -> None:
    it = Bench()
    it.calls("failure", "failure", "failure")
    it.breaker.reset()
    it.calls("failure")
    assert (it.breaker.snapshot().calls, it.told) == (1, [])


@pytest.mark.parametrize("switch", ["force_open", "disable", "reset"])
def test_a_result_of_before_a_switch_does_not_count(switch: str) -> None:
    it = Bench(window_size=1)
    late = it.breaker.acquire()
    getattr(it.breaker, switch)()
    before = it.breaker.state
    late.record("failure", 0.1)
    assert (it.breaker.state, it.breaker.snapshot().calls) == (before, 0)


def test_switching_to_what_it_is_already_tells_nothing() -> None:
    it = Bench()
    for _ in range(2):
        it.breaker.force_open()
    for _ in range(2):
        it.breaker.disable()
    assert it.transitions == [(CLOSED, FORCED_OPEN), (FORCED_OPEN, DISABLED)]


def test_each_transition_begins_where_the_one_before_ended_though_two_threads_cause_them() -> None:
    it = Bench(window_size=1, half_open_permitted_calls=1, open_wait_s=1e-9)

    def switch() -> None:
        for _ in range(300):
            it.breaker.force_open()
            it.breaker.disable()
            it.breaker.reset()
            assert it.breaker.snapshot().state in BreakerState

    thread = Thread(target=switch)
    thread.start()
    while thread.is_alive():
        it.clock.advance(1.0)
        try:
            it.calls("failure")
        except CallNotPermitted:
            continue
    thread.join()
    ends = [CLOSED, *(new for _, new in it.transitions)]
    assert [old for old, _ in it.transitions] == ends[:-1]
    assert it.breaker.state is ends[-1]


# --- what is seen of it ----------------------------------------------------------------------------------------------


def test_a_snapshot_says_how_it_stands() -> None:
    it = Bench(window_size=10)
    it.calls("success", "success", "failure")
    assert it.breaker.snapshot() == BreakerSnapshot(CLOSED, 3, None, None, None)
    it.calls("success", took=2.0)
    assert it.breaker.snapshot() == BreakerSnapshot(CLOSED, 4, 25.0, 25.0, None)
    it.calls("failure", "failure")
    assert it.breaker.snapshot() == BreakerSnapshot(OPEN, 0, None, None, 10.0)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"window": "both"}, "window must be count or time, not both"),
        ({"window_size": 0}, "window_size must be 1 to 10000, not 0"),
        ({"window": "time", "window_size": 3601}, "window_size must be 1 to 3600"),
        ({"minimum_calls": 0}, "minimum_calls"),
        ({"failure_rate_threshold": 0}, "failure_rate_threshold must be above 0 to 100 %, not 0"),
        ({"failure_rate_threshold": 100.1}, "failure_rate_threshold"),
        ({"slow_call_rate_threshold": math.nan}, "slow_call_rate_threshold"),
        ({"slow_call_duration_s": 0}, "slow_call_duration_s"),
        ({"half_open_permitted_calls": 0}, "half_open_permitted_calls"),
        ({"half_open_max_wait_s": -1}, "half_open_max_wait_s"),
        ({"open_wait_s": 0}, "open_wait_s"),
        ({"open_wait_s": 50.0}, "open_wait_max_s must be finite, and open_wait_s or more, not 40.0"),
        ({"open_wait_max_s": math.inf}, "open_wait_max_s"),
        ({"open_wait_multiplier": 0.5}, "open_wait_multiplier"),
        ({"open_wait_jitter": 1.0}, "open_wait_jitter"),
    ],
)
def test_a_config_that_makes_no_sense_is_refused_by_name(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        replace(CONFIG, **changes)

import math
from dataclasses import replace
from threading import Thread
from typing import Any

import pytest

from services.chassis.resilience.circuit_breaker import BreakerSnapshot, CallNotPermitted
from services.chassis.resilience.events import BreakerRejected, BreakerState, BreakerTransition
from tests.unit.chassis.breaking import CLOSED, CONFIG, DISABLED, FORCED_OPEN, OPEN, Bench


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

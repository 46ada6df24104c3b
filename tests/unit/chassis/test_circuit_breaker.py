from services.chassis.resilience.events import BreakerRejected
from tests.unit.chassis.breaking import CLOSED, HALF_OPEN, OPEN, Bench

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

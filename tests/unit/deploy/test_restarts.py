import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.supervisor.restarts import Ended, RestartPolicy, Restarts

POLICY = RestartPolicy(base_s=0.1, cap_s=10, reset_after_s=5, start_attempts=3, port_attempts=5)


def end(code: int = 1, ready_for_s: float | None = 0.0) -> Ended:
    return Ended(1, code, "", ready_for_s)


def waits(*ends: Ended) -> list[float | None]:
    restarts = Restarts(POLICY)
    return [restarts.after(each) for each in ends]


def test_the_wait_doubles_up_to_its_cap() -> None:
    assert waits(*[end()] * 9) == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10, 10])


def test_the_wait_starts_anew_after_a_life_that_lasted() -> None:
    assert waits(end(), end(), end(ready_for_s=5), end()) == pytest.approx([0.1, 0.2, 0.1, 0.2])


def test_one_that_never_was_ready_is_given_up() -> None:
    assert waits(*[end(ready_for_s=None)] * 3) == [0.1, 0.2, None]


def test_one_that_was_ready_once_is_never_given_up_for_a_crash() -> None:
    assert None not in waits(end(), *[end(ready_for_s=None)] * 50)


def test_wrong_settings_are_given_up_at_once_even_after_it_ran() -> None:
    assert waits(end(os.EX_CONFIG, ready_for_s=None)) == [None]
    assert waits(end(), end(os.EX_CONFIG, ready_for_s=None)) == [0.1, None]


def test_a_taken_port_is_given_up_at_once_at_the_first_start_later_after_some_tries() -> None:
    assert waits(end(os.EX_UNAVAILABLE, ready_for_s=None)) == [None]
    taken = [end(os.EX_UNAVAILABLE, ready_for_s=None)] * 4
    assert waits(end(), *taken)[-1] is None
    assert None not in waits(end(), *taken)[:-1]


def test_forgiving_starts_anew() -> None:
    restarts = Restarts(POLICY)
    for _ in range(3):
        last = restarts.after(end(ready_for_s=None))
    assert last is None
    restarts.forgive()
    assert restarts.after(end(ready_for_s=None)) == pytest.approx(0.1)


@given(st.lists(st.builds(end, st.integers(-15, 80), st.none() | st.floats(0, 100)), max_size=2000))
def test_every_wait_is_within_its_bounds(ends: list[Ended]) -> None:
    assert all(each is None or POLICY.base_s <= each <= POLICY.cap_s for each in waits(*ends))


def test_impossible_policies_are_refused() -> None:
    with pytest.raises(ValueError, match="base_s"):
        RestartPolicy(base_s=2, cap_s=1)
    with pytest.raises(ValueError, match="start_attempts"):
        RestartPolicy(start_attempts=0)

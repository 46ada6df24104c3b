import asyncio
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.resilience import deadline
from services.chassis.resilience.deadline import NO_DEADLINE, Deadline


class FakeClock:
    """Time that passes when told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def test_what_remains_shrinks_to_nothing_and_not_below(clock: FakeClock) -> None:
    limit = Deadline.after(2.0, clock)
    assert (limit.remaining(), limit.spent()) == (2.0, False)
    clock.now += 1.5
    assert (limit.remaining(), limit.spent()) == (0.5, False)
    clock.now += 0.5
    assert (limit.remaining(), limit.spent()) == (0.0, True)
    clock.now += 9
    assert limit.remaining() == 0.0


def test_work_without_a_deadline_has_for_ever() -> None:
    assert deadline.current() is NO_DEADLINE
    assert deadline.current().remaining() == math.inf
    assert not deadline.current().spent()


@pytest.mark.parametrize(("outer", "inner", "counts"), [(5.0, 2.0, 2.0), (2.0, 5.0, 2.0)])
def test_of_nested_deadlines_the_sooner_counts(clock: FakeClock, outer: float, inner: float, counts: float) -> None:
    with deadline.bound(Deadline.after(outer, clock)):
        with deadline.bound(Deadline.after(inner, clock)) as sooner:
            assert deadline.current() is sooner
            assert sooner.remaining() == counts
        assert deadline.current().remaining() == outer
    assert deadline.current() is NO_DEADLINE


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=6))
def test_however_deep_the_soonest_counts(limits: list[float]) -> None:
    clock = FakeClock()

    def soonest(rest: list[float]) -> float:
        if not rest:
            return deadline.current().expires_at
        with deadline.bound(Deadline.after(rest[0], clock)):
            return soonest(rest[1:])

    assert soonest(limits) == clock.now + min(limits)


def test_it_is_let_go_when_the_work_fails(clock: FakeClock) -> None:
    with pytest.raises(ZeroDivisionError), deadline.bound(Deadline.after(1.0, clock)):
        raise ZeroDivisionError
    assert deadline.current() is NO_DEADLINE


@pytest.mark.parametrize(("limit", "left"), [(1.0, 0.75), (0.25, 0.25), (0.125, 0.125), (math.inf, math.inf)])
def test_some_of_it_can_be_kept_back_where_there_is_more(clock: FakeClock, limit: float, left: float) -> None:
    with deadline.bound(Deadline.after(limit, clock)) as before:
        with deadline.all_but(0.25):
            assert deadline.current().remaining() == left
        assert deadline.current() is before


def test_without_a_deadline_there_is_none_of_which_to_keep_back() -> None:
    with deadline.all_but(0.25):
        assert deadline.current() is NO_DEADLINE


def test_detached_work_outlives_it(clock: FakeClock) -> None:
    with deadline.bound(Deadline.after(1.0, clock)):
        with deadline.detached():
            assert deadline.current() is NO_DEADLINE
        assert deadline.current().remaining() == 1.0


async def test_it_follows_into_tasks(clock: FakeClock) -> None:
    async def remaining() -> float:
        return deadline.current().remaining()

    with deadline.bound(Deadline.after(1.0, clock)):
        task = asyncio.create_task(remaining())
    assert await task == 1.0

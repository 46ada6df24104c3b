import asyncio
from dataclasses import replace

import pytest

from services.chassis.resilience.adaptive_limit import AdaptiveLimitConfig
from services.chassis.resilience.events import LimitMoved, LoadEvent, LoadShed
from services.chassis.resilience.load_shedding import LoadShedder, LoadSheddingConfig, Overloaded
from tests.fakes.clock import FakeClock

LIMIT = AdaptiveLimitConfig(initial=2, least=1, most=10, window_samples=1)
CONFIG = LoadSheddingConfig(LIMIT, max_queue=1, max_wait_s=60.0, retry_after_s=2.0)


class Bench:
    """A shedder with all that it was given, and what it told."""

    def __init__(self, config: LoadSheddingConfig = CONFIG) -> None:
        self.clock, self.told = FakeClock(), list[LoadEvent]()
        self.shedder = LoadShedder(config, self.clock, self.told.append)


async def test_up_to_the_limit_all_are_admitted() -> None:
    it = Bench()
    admissions = [await it.shedder.admit(), await it.shedder.admit()]
    assert [each.in_flight for each in admissions] == [1, 2]
    assert (it.shedder.in_flight, it.told) == (2, [])


async def test_beyond_the_limit_and_the_queue_they_are_refused_and_told_when_to_come_again() -> None:
    it = Bench(replace(CONFIG, max_queue=0))
    await it.shedder.admit()
    await it.shedder.admit()
    with pytest.raises(Overloaded, match="2 requests are being served and 0 wait") as caught:
        await it.shedder.admit()
    assert caught.value.retry_after == 2.0
    assert it.told == [LoadShed(in_flight=2, limit=2)]


async def test_whoever_waits_is_admitted_when_one_leaves() -> None:
    it = Bench()
    first, _ = await it.shedder.admit(), await it.shedder.admit()
    waiting = asyncio.create_task(it.shedder.admit())
    await asyncio.sleep(0)
    assert not waiting.done()
    it.shedder.leave(first, telling=False)
    assert (await waiting).in_flight == 2


async def test_the_limit_follows_what_was_served_and_those_who_wait_profit_at_once() -> None:
    it = Bench()
    first, _ = await it.shedder.admit(), await it.shedder.admit()
    waiting = asyncio.create_task(it.shedder.admit())
    await asyncio.sleep(0)
    for _ in range(3):
        it.clock.advance(1.0)
        it.shedder.leave(first)
        first = await (waiting if not waiting.done() else it.shedder.admit())
    assert it.shedder.limit > 2
    assert it.told[-1] == LimitMoved(it.shedder.limit)


async def test_what_says_nothing_about_the_server_does_not_move_its_limit() -> None:
    it = Bench()
    for _ in range(10):
        admission = await it.shedder.admit()
        it.clock.advance(1.0)
        it.shedder.leave(admission, telling=False)
    assert (it.shedder.limit, it.told) == (2, [])


@pytest.mark.parametrize("seconds", [0.0, 61.0, float("nan")])
def test_whoever_is_refused_is_told_a_time_that_makes_sense(seconds: float) -> None:
    with pytest.raises(ValueError, match="retry_after_s"):
        replace(CONFIG, retry_after_s=seconds)

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from services.chassis.resilience.bulkhead import Bulkhead, BulkheadConfig, BulkheadFull
from services.chassis.resilience.events import BulkheadEvent, BulkheadQueued, BulkheadRejected
from tests.fakes.clock import FakeClock

LONG_S = 60.0


class Bench:
    """A bulkhead with all that it was given, and what it told."""

    def __init__(self, max_concurrent: int = 1, max_queue: int = 10, max_wait_s: float = LONG_S) -> None:
        self.clock, self.told = FakeClock(), list[BulkheadEvent]()
        config = BulkheadConfig(max_concurrent, max_queue, max_wait_s)
        self.bulkhead = Bulkhead(config, self.clock, self.told.append)
        self.passed: list[int] = []

    async def full(self) -> "Bench":
        for _ in range(self.bulkhead.config.max_concurrent):
            await self.bulkhead.acquire()
        return self

    async def enter(self, number: int) -> None:
        await self.bulkhead.acquire()
        self.passed.append(number)

    async def queue(self, *numbers: int) -> "list[asyncio.Task[None]]":
        tasks = []
        for number in numbers:
            tasks.append(asyncio.create_task(self.enter(number)))
            await turns()
        return tasks

    @property
    def counts(self) -> tuple[int, int]:
        return self.bulkhead.in_flight, self.bulkhead.queued


async def turns() -> None:
    """Lets all that can go on without time passing go on."""
    for _ in range(5):
        await asyncio.sleep(0)


@asynccontextmanager
async def stopped(tasks: "list[asyncio.Task[None]]") -> AsyncIterator[None]:
    yield
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_as_many_pass_as_may_at_once() -> None:
    it = Bench(max_concurrent=3)
    await it.full()
    assert (it.counts, it.told) == ((3, 0), [])


async def test_one_more_waits_until_one_is_released() -> None:
    it = await Bench(max_concurrent=2).full()
    (task,) = await it.queue(1)
    assert it.counts == (2, 1)
    it.clock.advance(0.25)
    it.bulkhead.release()
    await task
    assert (it.counts, it.told) == ((2, 0), [BulkheadQueued(0.25)])


async def test_whoever_comes_when_the_queue_is_full_is_refused() -> None:
    it = await Bench(max_concurrent=2, max_queue=1).full()
    async with stopped(await it.queue(1)):
        with pytest.raises(BulkheadFull, match="the bulkhead is full: 2 calls in flight, 1 queued") as caught:
            await it.bulkhead.acquire()
        assert (caught.value.in_flight, caught.value.queued) == (2, 1)
        assert it.told == [BulkheadRejected(2, 1, 0.0)]


async def test_without_a_queue_nobody_waits() -> None:
    it = await Bench(max_queue=0, max_wait_s=0.0).full()
    with pytest.raises(BulkheadFull):
        await it.bulkhead.acquire()


async def test_whoever_waited_for_long_enough_is_refused() -> None:
    it = await Bench(max_wait_s=0.001).full()
    with pytest.raises(BulkheadFull):
        await it.bulkhead.acquire()
    assert (it.counts, it.told) == ((1, 0), [BulkheadRejected(1, 0, 0.0)])
    it.bulkhead.release()
    assert it.counts == (0, 0)


async def test_they_pass_in_the_order_in_which_they_came() -> None:
    it = await Bench().full()
    tasks = await it.queue(1, 2, 3, 4)
    for _ in tasks:
        it.bulkhead.release()
        await turns()
    assert it.passed == [1, 2, 3, 4]


async def test_whoever_comes_late_does_not_overtake_the_one_who_was_given_the_slot() -> None:
    it = await Bench().full()
    tasks = await it.queue(1)
    it.bulkhead.release()
    late = asyncio.create_task(it.enter(2))
    await turns()
    assert it.passed == [1]
    it.bulkhead.release()
    await asyncio.gather(*tasks, late)
    assert it.passed == [1, 2]


async def test_a_cancelled_one_leaves_the_queue_and_the_next_moves_up() -> None:
    it = await Bench().full()
    first, second = await it.queue(1, 2)
    first.cancel()
    await asyncio.wait([first])
    assert it.counts == (1, 1)
    it.bulkhead.release()
    await second
    assert it.passed == [2]


async def test_one_cancelled_in_the_moment_it_was_given_the_slot_hands_it_on() -> None:
    it = await Bench().full()
    first, second = await it.queue(1, 2)
    it.bulkhead.release()
    first.cancel()
    await asyncio.wait([first])
    assert first.cancelled()
    await second
    assert (it.passed, it.counts) == ([2], (1, 0))


async def test_one_cancelled_in_the_moment_it_was_given_the_slot_gives_it_back_when_nobody_waits() -> None:
    it = await Bench().full()
    (first,) = await it.queue(1)
    it.bulkhead.release()
    first.cancel()
    await asyncio.wait([first])
    assert it.counts == (0, 0)


async def test_one_given_the_slot_in_the_moment_after_it_was_cancelled_does_not_take_it() -> None:
    it = await Bench().full()
    first, second = await it.queue(1, 2)
    first.cancel()
    it.bulkhead.release()
    await asyncio.wait([first])
    await second
    assert (it.passed, it.counts) == ([2], (1, 0))


async def test_with_more_room_those_who_wait_pass_at_once() -> None:
    it = await Bench().full()
    tasks = await it.queue(1, 2, 3)
    it.bulkhead.resize(3)
    await turns()
    assert (it.passed, it.counts) == ([1, 2], (3, 1))
    it.bulkhead.release()
    await asyncio.gather(*tasks)
    assert it.passed == [1, 2, 3]


async def test_with_less_room_nobody_passes_until_enough_have_left() -> None:
    it = await Bench(max_concurrent=3).full()
    async with stopped(await it.queue(1)):
        it.bulkhead.resize(2)
        it.bulkhead.release()
        await turns()
        assert (it.passed, it.counts) == ([], (2, 1))
        it.bulkhead.release()
        await turns()
        assert (it.passed, it.counts) == ([1], (2, 0))


async def test_what_nobody_acquired_cannot_be_released() -> None:
    with pytest.raises(RuntimeError, match="nobody had acquired"):
        Bench().bulkhead.release()


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: BulkheadConfig(0), "max_concurrent must be 1 to 10000, not 0"),
        (lambda: BulkheadConfig(1, -1, 1.0), "max_queue must be 0 to 10000, not -1"),
        (lambda: BulkheadConfig(1, 1, -0.1), "max_wait_s must be 0 to 60 s"),
        (lambda: BulkheadConfig(1, 1, float("nan")), "max_wait_s"),
        (lambda: BulkheadConfig(1, 1, 0.0), "max_wait_s must be above 0 s where calls may queue"),
    ],
)
def test_a_config_that_makes_no_sense_is_refused_by_name(make: Callable[[], BulkheadConfig], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        make()

"""Limits that share a timer, held to `asyncio.timeout`: whatever is done within them, both end it alike."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextvars import Context
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, TypeVarTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.resilience.alarm import Alarm, Limit
from tests.fakes.clock import FakeClock
from tests.fakes.event_loop import VirtualTimeLoop


@dataclass(frozen=True)
class Sleep:
    """Waits for so many seconds."""

    seconds: int


@dataclass(frozen=True)
class Fail:
    """Raises an error that has nothing to do with time."""


@dataclass(frozen=True)
class Limited:
    """Does `steps` within a limit; one that is over ends it quietly."""

    seconds: int
    steps: "Sequence[Step]"


@dataclass(frozen=True)
class Deaf:
    """Does `steps`, and where that is cancelled goes on, or `fails`."""

    steps: "Sequence[Step]"
    fails: bool = False


@dataclass(frozen=True)
class Tidy:
    """Does `steps`, and takes so many seconds to clear up, come what may."""

    steps: "Sequence[Step]"
    seconds: int


Step = Sleep | Fail | Limited | Deaf | Tidy

SECONDS = st.integers(1, 5)


def around(step: st.SearchStrategy[Step]) -> st.SearchStrategy[Step]:
    steps = st.lists(step, min_size=1, max_size=2).map(tuple)
    limited = st.builds(Limited, SECONDS, steps)
    others = st.one_of(st.builds(Deaf, steps, st.booleans()), st.builds(Tidy, steps, SECONDS), step)
    return limited | limited | others


STEP = around(around(around(st.builds(Sleep, SECONDS) | st.builds(Sleep, SECONDS) | st.builds(Fail))))


@dataclass(frozen=True)
class Job:
    """A task that does `steps`, and is cancelled from outside at those moments."""

    steps: Sequence[Step]
    cancelled_at: Sequence[int]


START = FakeClock().now

JOBS = st.lists(st.builds(Job, st.tuples(STEP), st.lists(st.integers(1, 8), max_size=3)), min_size=1, max_size=2)


class Shared:
    """A limit as it is here, to be used as the standard library's."""

    def __init__(self, alarm: Alarm, seconds: float) -> None:
        self._limit = Limit(alarm, seconds)

    async def __aenter__(self) -> None:
        self._limit.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._limit.__exit__(kind, error, traceback)

    def expired(self) -> bool:
        return self._limit.expired


Limiting = Callable[[float], Shared | asyncio.Timeout]


@dataclass
class Doing:
    """A job being done: what happened, each with the moment and the cancellations still asked for."""

    limited: Limiting
    happened: list[tuple[float, str, int]] = field(default_factory=list)

    async def do(self, steps: Sequence[Step]) -> None:
        for step in steps:
            await self._do(step)
            self.note(f"{type(step).__name__} done")

    async def _do(self, step: Step) -> None:
        match step:
            case Sleep(seconds):
                await asyncio.sleep(seconds)
            case Fail():
                raise ZeroDivisionError
            case Limited(seconds, steps):
                await self._limit(seconds, steps)
            case Deaf(steps, fails):
                await self._disregard(steps, fails)
            case Tidy(steps, seconds):
                try:
                    await self.do(steps)
                finally:
                    await asyncio.sleep(seconds)

    async def _limit(self, seconds: int, steps: Sequence[Step]) -> None:
        limit = self.limited(seconds)
        try:
            async with limit:
                await self.do(steps)
        except TimeoutError:
            self.note("over")
        finally:
            self.note(f"expired: {limit.expired()}")

    async def _disregard(self, steps: Sequence[Step], fails: bool) -> None:
        try:
            await self.do(steps)
        except asyncio.CancelledError as exc:
            self.note("cancelled, and deaf to it")
            if fails:
                raise ZeroDivisionError from exc

    def note(self, what: str) -> None:
        task = asyncio.current_task()
        assert task
        self.happened.append((asyncio.get_running_loop().time(), what, task.cancelling()))


def in_virtual_time(work: Coroutine[Any, Any, None], loop: VirtualTimeLoop | None = None) -> None:
    with asyncio.Runner(loop_factory=lambda: loop or VirtualTimeLoop()) as runner:
        runner.run(work)


def done(jobs: Sequence[Job], limiting: Callable[[], Limiting]) -> list[tuple[list[tuple[float, str, int]], str]]:
    """What happened in each job, and how it ended."""
    doings, ends = list[Doing](), list[str]()

    async def do_all() -> None:
        loop, limited = asyncio.get_running_loop(), limiting()
        doings.extend(Doing(limited) for _ in jobs)
        tasks = [asyncio.create_task(doing.do(job.steps)) for doing, job in zip(doings, jobs, strict=True)]
        for task, job in zip(tasks, jobs, strict=True):
            for moment in job.cancelled_at:
                loop.call_at(loop.time() + moment, task.cancel)
        ends.extend(type(end).__name__ for end in await asyncio.gather(*tasks, return_exceptions=True))

    in_virtual_time(do_all())
    return [(doing.happened, end) for doing, end in zip(doings, ends, strict=True)]


def ours() -> Limiting:
    alarm = Alarm(asyncio.get_running_loop())
    return lambda seconds: Shared(alarm, seconds)


@given(JOBS)
def test_whatever_is_limited_ends_as_within_the_standard_librarys(jobs: Sequence[Job]) -> None:
    assert done(jobs, ours) == done(jobs, lambda: asyncio.timeout)


def test_a_cancellation_from_outside_in_the_same_moment_stays_one() -> None:
    ((happened, end),) = done([Job([Limited(3, [Sleep(5)])], [3])], ours)
    assert [what for _, what, _ in happened] == ["expired: True"]
    assert end == "CancelledError"


def test_of_two_limits_in_the_same_moment_the_outer_one_ends_it() -> None:
    ((happened, end),) = done([Job([Limited(3, [Limited(3, [Sleep(5)])])], [])], ours)
    assert [what for _, what, _ in happened] == ["expired: True", "over", "expired: True", "Limited done"]
    assert end == "NoneType"


def test_who_fails_at_being_ended_fails_in_its_own_way() -> None:
    ((_, end),) = done([Job([Limited(3, [Deaf([Sleep(5)], fails=True)])], [])], ours)
    assert end == "ZeroDivisionError"


def test_a_cancellation_from_before_that_was_not_heeded_does_not_count() -> None:
    ((happened, end),) = done([Job([Deaf([Sleep(5)]), Limited(3, [Sleep(5)])], [1])], ours)
    assert (4.0, "over") in [(moment - START, what) for moment, what, _ in happened]
    assert end == "NoneType"


_Arguments = TypeVarTuple("_Arguments")


class CountingLoop(VirtualTimeLoop):
    """Counts the timers that are set."""

    timers = 0

    def call_at(
        self,
        when: float,
        callback: Callable[[*_Arguments], object],
        *args: *_Arguments,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        self.timers += 1
        return super().call_at(when, callback, *args, context=context)


def test_limits_of_one_length_need_one_timer_in_that_length() -> None:
    loop = CountingLoop()

    async def calls() -> None:
        alarm = Alarm(loop)
        for _ in range(1000):
            with Limit(alarm, 10):
                await asyncio.sleep(0)
        await asyncio.sleep(5)
        with Limit(alarm, 10):
            await asyncio.sleep(7)

    in_virtual_time(calls(), loop)
    assert loop.timers == 2 + 2, "one for the thousand, one when it rang for nobody; and the two sleeps"


def test_a_sooner_limit_is_not_kept_waiting_for_a_later_one() -> None:
    ends = list[float]()

    async def calls() -> None:
        alarm, began = Alarm(asyncio.get_running_loop()), asyncio.get_running_loop().time()
        with Limit(alarm, 10):
            for seconds in (5, 2):
                with pytest.raises(TimeoutError), Limit(alarm, seconds):
                    await asyncio.sleep(60)
                ends.append(asyncio.get_running_loop().time() - began)

    in_virtual_time(calls())
    assert ends == [5, 7]


def test_only_what_a_task_does_can_be_limited() -> None:
    loop = VirtualTimeLoop()
    with pytest.raises(RuntimeError, match="a task"), Limit(Alarm(loop), 1):
        raise AssertionError("the block was entered")
    loop.close()

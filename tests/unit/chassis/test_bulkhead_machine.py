"""A bulkhead beside who is inside and who came: cancellations, ends of waits and releases meet in every order."""

import asyncio
from collections.abc import Coroutine
from functools import partial
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

from services.chassis.resilience.bulkhead import Bulkhead, BulkheadConfig, BulkheadFull
from services.chassis.resilience.events import BulkheadEvent, BulkheadQueued, BulkheadRejected
from tests.conftest import Counts
from tests.fakes.clock import FakeClock
from tests.fakes.event_loop import FakeTimeLoop

WAIT_S = 5.0


class BulkheadMachine(RuleBasedStateMachine):
    """Steps may follow each other without the loop having turned, so that they meet in one moment."""

    @initialize(concurrent=st.integers(1, 3), queue=st.integers(0, 3))
    def make(self, concurrent: int, queue: int) -> None:
        self.clock, self.told = FakeClock(), list[BulkheadEvent]()
        self.loop = FakeTimeLoop(self.clock)
        self.bulkhead = Bulkhead(BulkheadConfig(concurrent, queue, WAIT_S), self.clock, self.told.append)
        self.inside: list[int] = []
        self.passed_in_turn: list[int] = []  # who had to queue, in the order in which they passed
        self.tasks: dict[int, asyncio.Task[None]] = {}
        self.most, self.in_flight = concurrent, 0
        self.errors: list[BaseException] = []
        self.came = 0

    @rule()
    def come(self) -> None:
        self.came += 1
        self.tasks[self.came] = task = self.loop.create_task(self._enter(self.came))
        task.add_done_callback(partial(self._ended, self.came))

    @rule()
    def turn(self) -> None:
        self._run(asyncio.sleep(0))

    @rule(seconds=st.sampled_from([0.5, 2.0, WAIT_S]))
    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule(index=st.integers(0, 5))
    @precondition(lambda self: self.tasks)
    def cancel(self, index: int) -> None:
        list(self.tasks.values())[index % len(self.tasks)].cancel()

    @rule()
    @precondition(lambda self: self.inside)
    def leave(self) -> None:
        self.inside.pop()
        self.bulkhead.release()

    @rule(most=st.integers(1, 3))
    def resize(self, most: int) -> None:
        self.most = most
        self.bulkhead.resize(most)

    @invariant()
    def bounds_hold(self) -> None:
        config = self.bulkhead.config
        assert len(self.inside) <= self.bulkhead.in_flight <= max(self.most, self.in_flight)
        self.in_flight = self.bulkhead.in_flight
        assert 0 <= self.bulkhead.queued <= config.max_queue
        assert not self.errors

    @invariant()
    def who_came_first_passed_first(self) -> None:
        assert self.passed_in_turn == sorted(self.passed_in_turn)
        assert len(self.passed_in_turn) == sum(isinstance(each, BulkheadQueued) for each in self.told)

    def teardown(self) -> None:
        """At rest nothing is held that nobody has, and nobody waits for what is free."""
        if not hasattr(self, "loop"):
            return
        self._rest()
        assert self.bulkhead.in_flight == len(self.inside)
        if self.bulkhead.queued:
            assert len(self.inside) >= self.most
        while self.inside or self.bulkhead.queued:
            self.leave()
            self._rest()
        assert (self.bulkhead.in_flight, self.bulkhead.queued, self.tasks) == (0, 0, {})
        self.loop.close()

    async def _enter(self, number: int) -> None:
        free = self.bulkhead.in_flight < self.most
        try:
            await self.bulkhead.acquire()
        except BulkheadFull as error:
            assert not free
            self._check_refusal(error)
            return
        self.inside.append(number)
        if not free:
            self.passed_in_turn.append(number)

    def _ended(self, number: int, task: "asyncio.Task[None]") -> None:
        del self.tasks[number]
        if not task.cancelled() and (error := task.exception()):
            self.errors.append(error)

    def _check_refusal(self, error: BulkheadFull) -> None:
        told = self.told[-1]
        assert isinstance(told, BulkheadRejected)
        assert (told.in_flight, told.queued) == (error.in_flight, error.queued)
        assert error.queued == self.bulkhead.config.max_queue or told.waited_s >= WAIT_S

    def _rest(self) -> None:
        for _ in range(10):
            self._run(asyncio.sleep(0))

    def _run(self, work: Coroutine[Any, Any, Any]) -> None:
        self.loop.run_until_complete(work)


@pytest.mark.long
@pytest.mark.timeout(900)  # time to make a failure small
def test_whatever_happens_no_slot_is_lost_or_made_up(counts: Counts) -> None:
    chosen = settings(max_examples=counts(150, 2_000), stateful_step_count=40, deadline=None)
    run_state_machine_as_test(BulkheadMachine, settings=chosen)

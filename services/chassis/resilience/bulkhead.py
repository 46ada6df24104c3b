"""The bulkhead: at most so many calls to a peer at once, a bounded queue in front, so that one slow peer can't take all.

See Resilience4j's `SemaphoreBulkhead` for the limit and the wait; the bound on the queue is our own, since on an event loop
it costs nothing to queue, and an unbounded queue only makes every answer late.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from services.chassis.resilience.clock import Clock
from services.chassis.resilience.events import BulkheadEvent, BulkheadQueued, BulkheadRejected


@dataclass(frozen=True)
class BulkheadConfig:
    """`max_concurrent` calls at once; `max_queue` more wait for up to `max_wait_s` seconds. 0: nobody waits."""

    max_concurrent: int
    max_queue: int = 0
    max_wait_s: float = 0.0

    def __post_init__(self) -> None:
        if not 1 <= self.max_concurrent <= 10_000:
            raise ValueError(f"max_concurrent must be 1 to 10000, not {self.max_concurrent}")
        if not 0 <= self.max_queue <= 10_000:
            raise ValueError(f"max_queue must be 0 to 10000, not {self.max_queue}")
        if not 0 <= self.max_wait_s <= 60:
            raise ValueError(f"max_wait_s must be 0 to 60 s, not {self.max_wait_s}")
        if self.max_queue and not self.max_wait_s:
            raise ValueError("max_wait_s must be above 0 s where calls may queue")


class BulkheadFull(Exception):  # noqa: N818  # the pattern's own name for it; whoever composes translates it
    """There is no room for the call, or there was none in time."""

    def __init__(self, in_flight: int, queued: int) -> None:
        super().__init__(f"the bulkhead is full: {in_flight} calls in flight, {queued} queued")
        self.in_flight, self.queued = in_flight, queued


class BulkheadLoad(NamedTuple):
    """How many calls hold a slot, and how many wait for one."""

    in_flight: int
    queued: int


class Bulkhead:
    """The bulkhead of one peer, for the calls of one event loop; the numbers may be read from any thread.

    Whoever comes first passes first. Each slot that was taken needs one `release`; an `acquire` that raised, or was cancelled,
    has taken none.
    """

    def __init__(self, config: BulkheadConfig, clock: Clock, listener: Callable[[BulkheadEvent], None]) -> None:
        self.config, self._clock, self._tell = config, clock, listener
        self._most, self._in_flight = config.max_concurrent, 0
        # Ordered, as the one in front and any that gives up leave it equally quickly. True: it was given the slot of one
        # that ended; False: its wait is over.
        self._waiting: OrderedDict[asyncio.Future[bool], None] = OrderedDict()

    @property
    def in_flight(self) -> int:
        return self._in_flight

    @property
    def queued(self) -> int:
        return len(self._waiting)

    @property
    def load(self) -> BulkheadLoad:
        return BulkheadLoad(self.in_flight, self.queued)

    def try_acquire(self) -> bool:
        """Takes a slot if one is free; False where none is."""
        # Slots are handed out as soon as there are any: who finds one free overtakes nobody.
        if self._in_flight >= self._most:
            return False
        self._in_flight += 1
        return True

    async def acquire(self) -> None:
        """Takes a slot, after waiting for one if need be. Raises `BulkheadFull`."""
        if self.try_acquire():
            return
        if len(self._waiting) >= self.config.max_queue:
            self._refuse(0.0)
        await self._wait()

    def release(self) -> None:
        """Gives a slot back: to the first who waits, if any."""
        if not self._in_flight:
            raise RuntimeError("a bulkhead's slot was released that nobody had acquired")
        self._in_flight -= 1
        if self._waiting:
            self._hand_out()

    def resize(self, max_concurrent: int) -> None:
        """Lets so many be in flight from now on. With fewer than there are, nobody passes until enough have left."""
        self._most = max_concurrent
        self._hand_out()

    def _hand_out(self) -> None:
        while self._waiting and self._in_flight < self._most:
            first, _ = self._waiting.popitem(last=False)
            if not first.done():
                first.set_result(True)
                self._in_flight += 1

    async def _wait(self) -> None:
        loop, began = asyncio.get_running_loop(), self._clock()
        turn: asyncio.Future[bool] = loop.create_future()
        self._waiting[turn] = None
        timer = loop.call_later(self.config.max_wait_s, _give_up, turn)
        try:
            given = await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.result():
                self.release()  # it was given the slot in the same moment in which it was cancelled
            raise
        finally:
            timer.cancel()
            self._waiting.pop(turn, None)
        waited = self._clock() - began
        if not given:
            self._refuse(waited)
        self._tell(BulkheadQueued(waited))

    def _refuse(self, waited_s: float) -> None:
        self._tell(BulkheadRejected(self.in_flight, self.queued, waited_s))
        raise BulkheadFull(self.in_flight, self.queued)


def _give_up(turn: asyncio.Future[bool]) -> None:
    if not turn.done():
        turn.set_result(False)

"""An event loop whose timers go by a clock that is given."""

import asyncio
import selectors

from services.chassis.resilience.clock import Clock
from tests.fakes.clock import FakeClock


class FakeTimeLoop(asyncio.SelectorEventLoop):
    """Timers are due when `clock` says so. Never left to wait for one: what runs in it must have something to do."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._given = clock

    def time(self) -> float:
        return self._given()


class _Skipping(selectors.DefaultSelector):
    """Instead of waiting it moves the clock on."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__()
        self._clock = clock

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("all wait, and nothing is left that could end it")
        self._clock.advance(timeout)
        return super().select(0)


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Waits take no time: as soon as nobody has anything to do, it is the time of the next timer."""

    def __init__(self) -> None:
        self._given = FakeClock()
        super().__init__(_Skipping(self._given))

    def time(self) -> float:
        return self._given()

"""An event loop whose timers go by a clock that is given."""

import asyncio

from services.chassis.resilience.clock import Clock


class FakeTimeLoop(asyncio.SelectorEventLoop):
    """Timers are due when `clock` says so. Never left to wait for one: what runs in it must have something to do."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._given = clock

    def time(self) -> float:
        return self._given()

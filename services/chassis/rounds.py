"""A loop as a component: works in rounds, and pauses when there is little to do."""

import asyncio
import contextlib
from abc import ABC, abstractmethod


class Rounds(ABC):
    """A component. A round that does `full` or more is followed by the next at once, another one after `interval` seconds.

    The first begins `grace` seconds after the start. `round` must not raise: that would end the loop.
    """

    def __init__(self, name: str, full: int, interval: float, grace: float = 0.0) -> None:
        self.name = name
        self._full, self._interval, self._grace = full, interval, grace
        self._ending = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @abstractmethod
    async def round(self) -> int:
        """Does what there is to do, up to some bound; how much it was."""

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=self.name)

    async def drain(self) -> None:
        """Finishes its round, and begins no other."""
        self._ending.set()
        if self._task:
            await asyncio.shield(self._task)

    async def stop(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        await self._pause(self._grace)
        while not self._ending.is_set():
            if await self.round() < self._full:
                await self._pause(self._interval)

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._ending.wait()

"""A thread with an event loop of its own, for listeners that must answer while the main loop is blocked."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from services.chassis.component import Component


class SideThread:
    """Runs `components` and the endless `tasks` in a thread beside the main event loop."""

    def __init__(
        self, name: str, components: Sequence[Component], tasks: Sequence[Callable[[], Coroutine[Any, Any, None]]] = ()
    ) -> None:
        self.name = name
        self._components, self._tasks = components, tasks
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._running: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=self.name, daemon=True)
        self._thread.start()
        await _in(self._loop, self._start())

    async def drain(self) -> None:
        """Stays up while everything else drains: that is when one wants to look."""

    async def stop(self) -> None:
        if self._loop and self._thread:
            await _in(self._loop, self._stop())
            self._loop.call_soon_threadsafe(self._loop.stop)
            await asyncio.to_thread(self._thread.join)
            self._loop.close()
            self._loop = self._thread = None

    async def _start(self) -> None:
        for each in self._components:
            await each.start()
        self._running = [asyncio.create_task(task()) for task in self._tasks]

    async def _stop(self) -> None:
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        for each in reversed(self._components):
            await each.stop()


async def _in(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, None]) -> None:
    await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, loop))

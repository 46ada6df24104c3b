"""uvicorn as a part of a process: the signals stay its process's, and it ends when it is told to, not at its next look.

uvicorn (0.54) looks ten times a second whether it is to end, and a tenth of a second later whether its connections
have. A process with three such servers, ended one after the other, would stay for most of a second with nothing to do.
"""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Final

import uvicorn

_TICK_S: Final = 1.0  # the `Date` of answers is set anew
_LOOK_S: Final = 0.005


class PromptServer(uvicorn.Server):
    """Ended by `end`, from any thread."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._told = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def end(self, *, at_once: bool = False) -> None:
        """Takes no new connections and ends when the requests in flight are answered; `at_once`: leaves them."""
        self.should_exit = True
        self.force_exit = self.force_exit or at_once
        if self._loop:
            with contextlib.suppress(RuntimeError):  # the loop is closed: it has ended
                self._loop.call_soon_threadsafe(self._told.set)

    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._told.wait(), _TICK_S)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for each in (*self.servers, *(sockets or ())):
            each.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        try:
            async with asyncio.timeout(self.config.timeout_graceful_shutdown):
                await self._answered()
        except TimeoutError:
            for task in self.server_state.tasks:
                task.cancel()

    async def _answered(self) -> None:
        state = self.server_state
        while (state.connections or state.tasks) and not self.force_exit:  # noqa: ASYNC110 -- its sets tell nobody
            await asyncio.sleep(_LOOK_S)

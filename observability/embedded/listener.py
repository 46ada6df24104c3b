"""HTTP servers on listening sockets."""

import asyncio
import socket
import threading
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from observability.prompt_server import PromptServer
from observability.sockets import bind

_BACKLOG: Final = 512
_THREAD_END_S: Final = 2.0


class HttpListener:
    """Serves `app`; `setting` is the key that chose the port. `port` is the real one once started."""

    def __init__(self, app: ASGIApp, setting: str, host: str, port: int) -> None:
        self.port = port
        self._setting, self._host = setting, host
        self._server = PromptServer(_config(app))

    async def start(self) -> None:
        """From its return on connections are taken, if only to wait for the server to come round to them."""
        self._task = asyncio.create_task(self._server.serve([self._listening()]))

    def _listening(self) -> socket.socket:
        sock = bind(self._setting, self._host, self.port)
        sock.listen(_BACKLOG)
        self.port = sock.getsockname()[1]
        return sock

    async def drain(self) -> None:
        """Takes nothing new and returns when what was in flight is answered; being cancelled cuts that short."""
        self._server.end()
        try:
            await asyncio.shield(self._task)
        except asyncio.CancelledError:
            self._server.end(at_once=True)
            raise


class HttpThread(HttpListener):
    """The same in a thread with an event loop of its own, so that it answers while the main loop is blocked."""

    async def start(self) -> None:
        sockets = [self._listening()]
        serving = self._server.serve(sockets)
        self._thread = threading.Thread(target=asyncio.run, args=(serving,), name=self._setting, daemon=True)
        self._thread.start()

    async def drain(self) -> None:
        """Ends at once: what it answers, it answers at once."""
        self._server.end(at_once=True)
        await asyncio.to_thread(self._thread.join, _THREAD_END_S)


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app, log_config=None, log_level="warning", access_log=False, lifespan="off", server_header=False, ws="none"
    )

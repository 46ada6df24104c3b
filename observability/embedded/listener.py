"""Listening sockets, with an error that names the culprit, and HTTP servers on them."""

import asyncio
import errno
import socket
import threading
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from observability.prompt_server import PromptServer

EX_UNAVAILABLE: Final = 69
"""Exit code of a process whose port is taken (sysexits.h)."""

_BACKLOG: Final = 512
_THREAD_END_S: Final = 2.0


class PortTakenError(Exception):
    """Something else listens where the backend was told to; `setting` is the key that chose the port."""

    def __init__(self, setting: str, host: str, port: int) -> None:
        super().__init__(f"port {port} on {host} is already in use (setting {setting})")
        self.setting, self.host, self.port = setting, host, port


class AddressError(Exception):
    """The address to listen on is none of this machine's."""


def bind(setting: str, host: str, port: int) -> socket.socket:
    """A bound TCP socket, not yet listening; port 0 takes a free one. Raises PortTakenError, AddressError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio switches Nagle's delay off only on sockets that say they are TCP.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    # Lets a restarted process bind while connections of its predecessor linger in TIME_WAIT.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
    except OSError as exc:
        sock.close()
        if exc.errno in (errno.EADDRINUSE, errno.EACCES):
            raise PortTakenError(setting, host, port) from exc
        raise AddressError(f"BIND_HOST: cannot listen on {host}: {exc.strerror}") from exc
    return sock


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

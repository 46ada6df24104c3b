"""An HTTP server as a component: uvicorn on a socket of ours, signals left to the life cycle."""

import asyncio
import contextlib
import socket
from functools import partial
from typing import cast

import uvicorn
from starlette.types import ASGIApp

from observability.prompt_server import PromptServer
from observability.telemetry import Telemetry
from services.chassis.errors import NotReadyError
from services.chassis.http.connections import ConnectionMetrics
from services.chassis.http.limits import Limits
from services.chassis.http.protocol import BoundedProtocol
from services.chassis.listener import bind


class _Server(PromptServer):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    def abandon(self) -> set[asyncio.Task[None]]:
        """Ends at once. Requests in flight are cancelled; they are returned, to be awaited: whatever measures sees them."""
        self.end(at_once=True)
        for task in self.server_state.tasks:
            task.cancel()
        return set(self.server_state.tasks)


class HttpServer:
    """Serves `app` on `host:port`; `setting` is the key that chose the port, for the error that names it.

    What is refused before there is a request reaches `app` too: see `services.chassis.http.refusal`. `telemetry` is
    told of the connections.
    """

    def __init__(
        self,
        name: str,
        app: ASGIApp,
        host: str,
        port: int,
        setting: str = "HTTP_PORT",
        limits: Limits | None = None,
        telemetry: Telemetry | None = None,
    ) -> None:
        self.name = name
        metrics = ConnectionMetrics(telemetry)
        self._protocol = partial(BoundedProtocol, limits=limits or Limits(), metrics=metrics, idle={})
        self._app, self._host, self._port, self._setting = app, host, port, setting
        self._server: _Server | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        sock = bind(self._setting, self._host, self._port)
        self._server = _Server(_config(self._app, self._protocol))
        self._task = asyncio.create_task(self._serve(self._server, sock), name=self.name)
        ready = asyncio.create_task(self._server.ready.wait())
        await asyncio.wait([ready, self._task], return_when=asyncio.FIRST_COMPLETED)
        if not ready.done():
            ready.cancel()
            await self._task  # it ended before it was ready: this raises its reason

    async def check(self) -> None:
        """Readiness: raises NotReadyError when it does not listen, or the task that serves has ended."""
        serving = self._server and self._task and not self._task.done() and not self._server.should_exit
        if not serving:
            raise NotReadyError(f"{self.name} on port {self._port} does not serve")

    async def _serve(self, server: _Server, sock: socket.socket) -> None:
        with contextlib.closing(sock):
            await server.serve(sockets=[sock])

    async def drain(self) -> None:
        if self._server and self._task:
            self._server.end()
            await asyncio.shield(self._task)

    async def stop(self) -> None:
        if self._server and self._task:
            await asyncio.wait({self._task, *self._server.abandon()})


def _config(app: ASGIApp, protocol: "partial[BoundedProtocol]") -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=cast("type[asyncio.Protocol]", protocol),  # of which uvicorn wants no more than to be called
        ws="none",
        log_config=None,
        # What it says of its comings and goings, the life cycle says; and a refusal is no news.
        log_level="error",
        access_log=False,  # the access log is the trace and its metrics
        lifespan="off",
        server_header=False,
        proxy_headers=False,  # nobody who could be believed sends them
        # Else a request that waited on its connection for another's answer starts within that one's
        # context, and so within its trace and its deadline.
        reset_contextvars=True,
        h11_max_incomplete_event_size=protocol.keywords["limits"].head_bytes,
        # Longer than a client keeps idle connections (aiohttp 15 s), so that it is the client who closes
        # them: the other way round, a request is lost that crosses the server's closing on the wire. Where others need
        # their places, they end sooner.
        timeout_keep_alive=60,
    )

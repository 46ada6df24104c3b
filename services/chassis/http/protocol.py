"""uvicorn's protocol with bounds: whatever a client does with its connection comes to an end, and to an answer.

uvicorn bounds how long a connection idles between requests (`timeout_keep_alive`) and how much is buffered of a head
that is not whole (`h11_max_incomplete_event_size`). Its `limit_concurrency` is left alone: once reached it refuses
everybody, also on connections that were there before. Where all places are taken, a new connection gets that of the one
that has idled for longest; where none has for long, the new one is refused.
"""

import asyncio
import contextvars
import sys
from collections.abc import Callable
from enum import Enum, auto
from typing import Any, cast

import h11
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn import Config
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle
from uvicorn.server import ServerState

from observability import semconv
from services.chassis.http import refusal
from services.chassis.http.connections import ConnectionMetrics
from services.chassis.http.limits import Limits
from services.chassis.http.lingering import Lingering
from services.chassis.http.refusal import Refusal

_ANSWERED_BEYOND = 100
"""Connections beyond the limit that are told so; those beyond that are cut off."""

_CLOSE = (b"connection", b"close")


class _Awaited(Enum):
    """What the client has to send by a certain time, but for `NEXT`."""

    NOTHING = auto()
    NEXT = auto()  # another request, whenever it likes
    HEAD = auto()
    REST = auto()  # of the body of a request that was answered without it


class BoundedProtocol(H11Protocol):
    """One connection. `limits` and `metrics` are its listener's, and so is `idle`: who idles since when, in that order.

    On h11, which takes any method, so that ours is the answer to an unheard-of one; httptools does not.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        limits: Limits,
        metrics: ConnectionMetrics,
        idle: dict["BoundedProtocol", float],
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._limits, self._metrics, self._idle = limits, metrics, idle
        self._application = cast("ASGIApp", self.app)
        self.app = cast("Any", self._serve)
        self._refused: Refusal | None = None  # since then nothing is read any more
        self._crowded = False
        self._awaited, self._timer = _Awaited.NOTHING, cast("asyncio.TimerHandle | None", None)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn narrows it
        self._lingering = Lingering(transport, self._still_sending, self._limits.rest_seconds)
        super().connection_made(cast("asyncio.Transport", self._lingering))
        if len(self.connections) > self._limits.connections:
            self._make_room()
        self._metrics.open(len(self.connections))
        beyond = len(self.connections) - self._limits.connections
        self._crowded = beyond > 0
        if beyond > _ANSWERED_BEYOND:
            self._cut(semconv.CUT_CROWDED)
        else:
            self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        self._lingering.lost()
        super().connection_lost(exc)
        self._metrics.open(len(self.connections))
        self._await(_Awaited.NOTHING)

    def data_received(self, data: bytes) -> None:
        if self._refused or self.transport.is_closing():
            return  # thrown away
        super().data_received(data)
        self._look()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._look()

    def shutdown(self) -> None:
        super().shutdown()
        self._lingering.hurry()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  # uvicorn's signature
        """What uvicorn does when it can't read on."""
        too_large = getattr(sys.exception(), "error_status_hint", 400) == refusal.HEAD_TOO_LARGE.status
        self._refuse(refusal.HEAD_TOO_LARGE if too_large else refusal.UNREADABLE)

    def _make_room(self) -> None:
        long_ago = self.loop.time() - self._limits.idle_seconds
        for each, since in self._idle.items():
            if since > long_ago:
                return
            if not each.transport.get_write_buffer_size():  # else it still reads its answer, and would be held by it
                each.give_way()
                return

    def give_way(self) -> None:
        """Ends it between two requests; its place is free at once."""
        self._await(_Awaited.NOTHING)
        self.connections.discard(self)
        self.timeout_keep_alive_handler()

    def _still_sending(self) -> bool:
        return self._refused is not None or self.conn.their_state in (h11.SEND_BODY, h11.ERROR)

    # What the client has time for

    def _look(self) -> None:
        self._await(self._missing())

    def _missing(self) -> _Awaited:
        if self._refused or self.transport.is_closing():
            return _Awaited.NOTHING
        if self.conn.their_state is h11.IDLE:
            return _Awaited.HEAD if self._begun() or self.cycle is None else _Awaited.NEXT
        answered = self.conn.our_state is h11.DONE
        return _Awaited.REST if answered and self.conn.their_state is h11.SEND_BODY else _Awaited.NOTHING

    def _begun(self) -> bool:
        return bool(self.conn.trailing_data[0])

    def _await(self, awaited: _Awaited) -> None:
        if awaited is self._awaited:
            return  # its time runs from when it began, not from its latest byte
        if self._timer:
            self._timer.cancel()
        self._awaited, self._timer = awaited, None
        self._idle.pop(self, None)
        if awaited is _Awaited.NEXT:
            self._idle[self] = self.loop.time()
        elif awaited is not _Awaited.NOTHING:
            limits = self._limits
            seconds = limits.head_seconds if awaited is _Awaited.HEAD else limits.rest_seconds
            self._timer = self.loop.call_later(seconds, self._too_slow)

    def _too_slow(self) -> None:
        if self._awaited is _Awaited.HEAD and self._begun():
            self._refuse(refusal.HEAD_TOO_SLOW)
        else:
            self._cut(semconv.CUT_SILENT if self._awaited is _Awaited.HEAD else semconv.CUT_UNFINISHED)

    def _cut(self, why: str) -> None:
        self._metrics.cut(why)
        self.transport.abort()

    # Refusing

    def _refuse(self, why: Refusal) -> None:
        """Reads no further and has the application say why."""
        self._refused = why
        self._await(_Awaited.NOTHING)
        cycle = cast("RequestResponseCycle | None", self.cycle)  # None before the first request, whatever its type says
        if cycle and not cycle.response_complete:
            cycle.message_event.set()  # in the middle of a body: whoever reads it is told, see `_serve`
            return
        self.scope = cast("Any", self._scope_without_request())
        self.cycle = RequestResponseCycle(
            scope=self.scope,
            conn=self.conn,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=False,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            on_response=self.on_response_complete,
        )
        work = self.cycle.run_asgi(cast("Any", self._serve))
        task = self.loop.create_task(work, context=contextvars.Context())
        task.add_done_callback(self.tasks.discard)
        self.tasks.add(task)

    def _scope_without_request(self) -> Scope:
        return {
            "type": "http",
            "asgi": {"version": self.asgi_version, "spec_version": "2.3"},
            "http_version": "1.1",
            "server": self.server,
            "client": self.client,
            "scheme": self.scheme,
            "method": "",
            "root_path": self.root_path,
            "path": "",
            "raw_path": b"",
            "query_string": b"",
            "headers": [],
            "state": self.app_state.copy(),
        }

    # Around the application

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def receive_readable() -> Message:
            message = await receive()
            if self._refused:
                raise self._refused.problem()
            return message

        if why := self._reason_to_refuse(scope):
            await self._application({**scope, refusal.SCOPE_KEY: why}, receive, _then_close(send))
        else:
            await self._application(scope, receive_readable, send)

    def _reason_to_refuse(self, scope: Scope) -> Refusal | None:
        if self._refused or self._crowded:
            return self._refused or refusal.CROWDED
        if not scope["http_version"].startswith("1."):
            return refusal.UNREADABLE  # such as the preface of HTTP/2, which h11 takes for a request
        return refusal.HEAD_TOO_LARGE if _exceeds(scope, self._limits) else None


def _exceeds(scope: Scope, limits: Limits) -> bool:
    # A head that came whole in one piece was never an incomplete one, which is all that h11 bounds.
    fields = scope["headers"]
    size = len(scope["raw_path"]) + len(scope["query_string"]) + sum(len(name) + len(value) for name, value in fields)
    return size > limits.head_bytes or len(fields) > limits.head_fields


def _then_close(send: Send) -> Callable[[Message], Any]:
    async def send_last(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", []), _CLOSE]}
        await send(message)

    return send_last

"""The wire between orders and its peers, in the hands of a test: a gRPC proxy that knows no service.

It passes on the bytes, metadata, deadlines and statuses of unary calls. The next call of a method can be caught: it then
goes no further than the test lets it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NoReturn

import grpc

from tests.e2e.checkout.topologies import HOST

Context = grpc.aio.ServicerContext[bytes, bytes]
Metadata = tuple[tuple[str, str | bytes], ...]

_SERVER = [
    ("grpc.so_reuseport", 0),
    ("grpc.http2.min_ping_interval_without_data_ms", 1_000),  # the services' keepalive is welcome
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.max_metadata_size", 64 << 10),
    ("grpc.absolute_max_metadata_size", 64 << 10),
]
_CLIENT = [
    ("grpc.enable_retries", 0),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 300),
    ("grpc.enable_http_proxy", 0),
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.lb_policy_name", "round_robin"),
    ("grpc.max_metadata_size", 64 << 10),
    ("grpc.absolute_max_metadata_size", 64 << 10),
]


@dataclass(frozen=True)
class Call:
    """A request as it came to `peer`: `method` is `/package.Service/Method`, `timeout` in seconds what it had left then."""

    peer: str
    method: str
    request: bytes
    metadata: Metadata
    timeout: float

    @property
    def operation(self) -> str:
        return self.method.split("/")[2]


@dataclass(eq=False)
class Caught:
    """A call that waits, first before its callee gets it, then before its caller gets the answer."""

    call: Call
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    given_up: bool = False
    _forwarded: asyncio.Event = field(default_factory=asyncio.Event)
    _ended: asyncio.Event = field(default_factory=asyncio.Event)
    _lost: bool = False

    def forward(self) -> None:
        """Lets the callee have it; `answered` is set when it has answered, or died, or the caller has `given_up`."""
        self._forwarded.set()

    def go_on(self) -> None:
        """Lets it through to the end."""
        self._forwarded.set()
        self._ended.set()

    def lose(self) -> None:
        """The request, or the answer if there is one, is lost."""
        self._lost = True
        self.go_on()

    def give_up(self) -> None:
        """For the wire: the caller waits no longer, and whether the callee has done it nobody knows."""
        self.given_up = True
        self.answered.set()

    async def pass_request(self, context: Context) -> None:
        """For the wire: returns when the callee may have it."""
        await self._forwarded.wait()
        await self._unless_lost(context)

    async def pass_answer(self, context: Context) -> None:
        """For the wire: returns when the caller may have the answer."""
        self.answered.set()
        await self._ended.wait()
        await self._unless_lost(context)

    async def _unless_lost(self, context: Context) -> None:
        if self._lost:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "lost on the wire")


Serve = Callable[[str, bytes, Context], Awaitable[bytes]]


class _Methods(grpc.GenericRpcHandler):
    """Every method there may be."""

    def __init__(self, serve: Serve) -> None:
        self._serve = serve

    def service(self, details: grpc.HandlerCallDetails) -> Any:
        """How gRPC asks for a method's handler."""
        return grpc.unary_unary_rpc_method_handler(partial(self._serve, details.method))


class Wire:
    """Listens in the place of each peer, on `ports`, and reaches them from `start` on."""

    def __init__(self, peers: Iterable[str]) -> None:
        self._servers = {peer: grpc.aio.server(options=_SERVER) for peer in peers}
        for peer, server in self._servers.items():
            server.add_generic_rpc_handlers((_Methods(partial(self._serve, peer)),))
        self.ports = {peer: server.add_insecure_port(f"{HOST}:0") for peer, server in self._servers.items()}
        self._channels: dict[str, grpc.aio.Channel] = {}
        self._traps: dict[str, asyncio.Future[Caught]] = {}

    async def start(self, targets: Mapping[str, Iterable[str]]) -> None:
        """`targets`: peer → the addresses of its replicas."""
        for peer, addresses in targets.items():
            self._channels[peer] = grpc.aio.insecure_channel("ipv4:" + ",".join(addresses), options=_CLIENT)
            await self._servers[peer].start()

    async def stop(self) -> None:
        for server in self._servers.values():
            await server.stop(grace=None)
        for each in self._channels.values():
            await each.close()

    def catch(self, operation: str) -> asyncio.Future[Caught]:
        """The next call of a method, by its short name, once it comes. One trap per method at a time."""
        if operation in self._traps:
            raise ValueError(f"there is a trap for {operation} already")
        trap = asyncio.get_running_loop().create_future()
        trap.add_done_callback(lambda _: self._traps.pop(operation))
        self._traps[operation] = trap
        return trap

    async def deliver(self, call: Call) -> None:
        """A call arrives though its caller has long given up: nobody hears the answer."""
        try:
            await self._forward(call)
        except grpc.aio.AioRpcError:
            return

    async def _serve(self, peer: str, method: str, request: bytes, context: Context) -> bytes:
        call = _call(peer, method, request, context)
        caught = self._caught(call)
        try:
            return await self._passed(call, caught, context)
        except asyncio.CancelledError:
            if caught:
                caught.give_up()
            raise

    async def _passed(self, call: Call, caught: Caught | None, context: Context) -> bytes:
        if caught:
            await caught.pass_request(context)
        try:
            answer, told = await self._forward(call), None
        except grpc.aio.AioRpcError as error:
            answer, told = b"", error
        if caught:
            await caught.pass_answer(context)
        return await _abort(context, told) if told else answer

    def _caught(self, call: Call) -> Caught | None:
        trap = self._traps.get(call.operation)
        if trap is None or trap.done():
            return None
        trap.set_result(caught := Caught(call))
        return caught

    async def _forward(self, call: Call) -> bytes:
        method: Callable[..., Any] = self._channels[call.peer].unary_unary(call.method)
        answer: bytes = await method(call.request, timeout=call.timeout, metadata=call.metadata)
        return answer


def _call(peer: str, method: str, request: bytes, context: Context) -> Call:
    metadata = tuple((key, value) for key, value in context.invocation_metadata() or () if _is_callers(key))
    return Call(peer, method, request, metadata, context.time_remaining())


def _is_callers(key: str) -> bool:
    """Whether it is the caller's own, and not of the connection that it came by."""
    return not key.startswith(("grpc-", ":")) and key != "user-agent"


async def _abort(context: Context, error: grpc.aio.AioRpcError) -> NoReturn:
    await context.abort(error.code(), error.details() or "", tuple(error.trailing_metadata() or ()))

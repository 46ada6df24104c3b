"""The clients under test, and peers that misbehave."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING

from services.chassis.calls import CallSeam
from services.chassis.edge import Edge
from services.chassis.http.client import HttpClient
from services.chassis.resilience.pipeline import EdgePolicy
from services.chassis.rpc.client import RpcClient
from services.contracts.errors import CATALOGUE
from services.contracts.payments.v1.payments_pb2_grpc import PaymentsStub
from tests.integration.chassis.ports import HOST
from tests.integration.chassis.rpc_toy import PAYMENTS
from tests.unit.chassis.recording import Recording

if TYPE_CHECKING:
    from services.contracts.payments.v1.payments_pb2_grpc import PaymentsAsyncStub  # it exists for types alone

Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

REST = Edge("toy", "peer", "rest")
GRPC = Edge("toy", "payments", "grpc")


def seam(recording: Recording, edge: Edge, attempt_timeout: float) -> CallSeam:
    """The edge's seam; `attempt_timeout` in seconds."""
    return CallSeam(edge, EdgePolicy(attempt_timeout), recording.telemetry, CATALOGUE)


@asynccontextmanager
async def http_client(recording: Recording, *targets: str, attempt_timeout: float = 60) -> AsyncIterator[HttpClient]:
    """A started client of `targets` (addresses without a slash at their end)."""
    client = HttpClient(targets, seam(recording, REST, attempt_timeout), recording.telemetry)
    await client.start()
    try:
        yield client
    finally:
        await client.drain()
        await client.stop()


@asynccontextmanager
async def rpc_client(
    recording: Recording, *ports: int, attempt_timeout: float = 60
) -> AsyncIterator[tuple[RpcClient, "PaymentsAsyncStub"]]:
    """A started client of the toy at `ports`, and its stub."""
    targets = [f"{HOST}:{port}" for port in ports]
    client = RpcClient(PAYMENTS, targets, seam(recording, GRPC, attempt_timeout), recording.telemetry)
    await client.start()
    try:
        yield client, PaymentsStub(client.channel)
    finally:
        await client.drain()
        await client.stop()


@asynccontextmanager
async def raw_peer(behave: Behaviour) -> AsyncIterator[int]:
    """A listener that treats each connection as told; yields its port."""
    ended = asyncio.Event()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await asyncio.wait(
                [asyncio.ensure_future(behave(reader, writer)), asyncio.ensure_future(ended.wait())],
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            writer.close()

    server = await asyncio.start_server(connected, HOST, 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        ended.set()
        server.close()
        await server.wait_closed()


async def hangs(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read()


def answers(raw: bytes) -> Behaviour:
    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(raw)
        await writer.drain()

    return behave


def with_body(status: int, body: bytes) -> bytes:
    return f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body

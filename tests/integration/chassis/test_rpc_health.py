"""What a gRPC server says of its health is what its checks say."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from services.chassis.edge import Edge
from services.chassis.errors import PeerUnavailableError
from services.chassis.rpc.client import RpcClient
from services.chassis.rpc.server import GrpcServer
from tests.integration.chassis import rpc_toy
from tests.integration.chassis.peers import rpc_client
from tests.integration.chassis.ports import HOST, free_port
from tests.integration.chassis.rpc_toy import PAYMENTS, Context
from tests.unit.chassis.recording import Recording

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
UNKNOWN = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
SOON_S = 0.01
LONG_S = 60.0


class Database:
    """A dependency that is there or not."""

    def __init__(self) -> None:
        self.failure: Exception | None = None
        self.hangs = False

    async def check(self) -> None:
        if self.hangs:
            await asyncio.Event().wait()
        if self.failure:
            raise self.failure


async def nothing(_: Context) -> None:
    """A handler without work."""


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> Database:
    monkeypatch.setattr("services.chassis.rpc.health._INTERVAL", SOON_S)
    monkeypatch.setattr("services.chassis.rpc.health._CHECK_TIMEOUT", SOON_S)
    return Database()


@asynccontextmanager
async def watched(recording: Recording, database: Database) -> AsyncIterator[tuple[GrpcServer, Any]]:
    """A server that needs `database`, and a stub that asks for its health."""
    running = rpc_toy.server(recording, nothing, port := free_port(), {"database": database.check})
    await running.start()
    try:
        async with grpc.aio.insecure_channel(f"{HOST}:{port}") as channel:
            yield running, health_pb2_grpc.HealthStub(channel)
    finally:
        await running.stop()


def asked(service: str = "") -> health_pb2.HealthCheckRequest:
    return health_pb2.HealthCheckRequest(service=service)


async def told(watch: Any, status: int) -> None:
    """Waits until the watch tells of `status`."""
    async with asyncio.timeout(LONG_S):
        while (await watch.read()).status != status:
            pass


async def test_it_is_told_for_the_server_and_each_service(recording: Recording, database: Database) -> None:
    async with watched(recording, database) as (_, health):
        for service in ("", PAYMENTS):
            assert (await health.Check(asked(service))).status == SERVING
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await health.Check(asked("stranger"))
    assert refused.value.code() is grpc.StatusCode.NOT_FOUND
    assert recording.spans == [], "whoever watches is not traced"


@pytest.mark.parametrize("service", ["", PAYMENTS])
async def test_it_follows_what_the_server_needs(service: str, recording: Recording, database: Database) -> None:
    async with watched(recording, database) as (_, health):
        watch = health.Watch(asked(service))
        await told(watch, SERVING)
        database.failure = PeerUnavailableError(Edge("toy", "toy-db", "sql"), "check", "file is gone")
        await told(watch, NOT_SERVING)
        assert (await health.Check(asked(service))).status == NOT_SERVING
        database.failure = None
        await told(watch, SERVING)
        assert (await health.Check(asked(service))).status == SERVING
    lines = [line for line in recording.log_lines if line["message"] in {"not serving", "serving again"}]
    assert [line["message"] for line in lines] == ["not serving", "serving again"], "once each"
    assert "file is gone" in str(lines[0]["checks"])


@pytest.mark.parametrize("defect", [ZeroDivisionError(), None], ids=["broken", "silent"])
async def test_what_cannot_be_checked_is_not_served(
    defect: Exception | None, recording: Recording, database: Database
) -> None:
    database.failure, database.hangs = defect, defect is None
    async with watched(recording, database) as (_, health):
        assert (await health.Check(asked())).status == NOT_SERVING
        watch = health.Watch(asked())
        database.failure, database.hangs = None, False
        await told(watch, SERVING)


async def test_who_drains_serves_no_more_and_waits_for_nobody_who_watches(
    recording: Recording, database: Database
) -> None:
    async with watched(recording, database) as (running, health):
        watches = [health.Watch(asked(each)) for each in ("", PAYMENTS, "stranger")]
        for watch, status in zip(watches, (SERVING, SERVING, UNKNOWN), strict=True):
            await told(watch, status)
        async with asyncio.timeout(LONG_S):
            await running.drain()
        for watch, status in zip(watches, (NOT_SERVING, NOT_SERVING, UNKNOWN), strict=True):
            assert (await watch.read()).status == status
            assert await watch.read() is grpc.aio.EOF


async def test_a_client_can_ask_whether_its_peer_serves(recording: Recording, database: Database) -> None:
    running = rpc_toy.server(recording, nothing, port := free_port(), {"database": database.check})
    async with rpc_client(recording, port) as (client, _):
        with pytest.raises(PeerUnavailableError, match="toy → payments check: UNAVAILABLE"):
            await client.check()
        database.failure = PeerUnavailableError(Edge("toy", "toy-db", "sql"), "check", "file is gone")
        await running.start()
        await found(client, "it says that it does not serve")
        database.failure = None
        await found(client, "")
    await running.stop()
    assert recording.spans == []


async def found(client: RpcClient, wanted: str) -> None:
    """Waits until the client finds that; empty for a peer that serves."""
    why = "not asked yet"
    async with asyncio.timeout(LONG_S):
        while wanted not in why or bool(wanted) != bool(why):
            await asyncio.sleep(SOON_S)
            try:
                await client.check()
                why = ""
            except PeerUnavailableError as error:
                why = str(error)

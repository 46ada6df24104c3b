"""A server that has all it can do says so at once, over both protocols, and goes on with what it has."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from observability import semconv
from services.chassis.errors import PeerFailedError
from services.chassis.resilience.adaptive_limit import AdaptiveLimitConfig
from services.chassis.resilience.load_shedding import LoadSheddingConfig
from services.contracts.payments.v1 import payments_pb2 as pb
from tests.integration.chassis import rpc_toy
from tests.integration.chassis.http_toy import LONG_S, Client, Parts, create_app, served
from tests.integration.chassis.peers import rpc_client
from tests.integration.chassis.ports import HOST
from tests.integration.chassis.rpc_toy import PAYMENTS, Context
from tests.unit.chassis.recording import Recording

ONE = LoadSheddingConfig(AdaptiveLimitConfig(initial=1, least=1, most=1), max_queue=0, max_wait_s=0.0)
ONE_AND_ONE_WAITS = LoadSheddingConfig(ONE.limit, max_queue=1, max_wait_s=LONG_S)
REQUEST = pb.GetPaymentRequest(order_id="o-1")
METHOD = f"{PAYMENTS}/GetPayment"


@asynccontextmanager
async def busy(recording: Recording, parts: Parts, shedding: LoadSheddingConfig) -> AsyncIterator[Client]:
    """A toy that is at work on as much as it can, over HTTP. The work ends well with the block."""
    async with served(create_app(recording, parts, shedding=shedding)) as client:
        first = asyncio.create_task(client.get("/v1/work"))
        await parts.begun.wait()
        yield client
        parts.release.set()
        assert (await first).status == 200


async def test_http_what_is_too_much_is_refused_with_when_to_come_again(recording: Recording, parts: Parts) -> None:
    async with busy(recording, parts, ONE) as client:
        answer = await client.get("/v1/items")
        problem = await answer.json()
    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
    assert (problem["type"], problem["retry_after"]) == ("/problems/overloaded", 1.0)
    assert problem["trace_id"] == answer.trace_id


async def test_http_a_refusal_is_counted_and_seen_in_its_trace(recording: Recording, parts: Parts) -> None:
    async with busy(recording, parts, ONE) as client:
        assert recording.count(semconv.SERVER_SHED) == 0
        await client.get("/v1/items")
        assert recording.count(semconv.SERVER_SERVED) == 1
    (event,) = [each for each in recording.named("GET /v1/items").events if each.name == semconv.EVENT_SERVER_SHED]
    assert dict(event.attributes or {}) == {semconv.SERVER_IN_FLIGHT: 1, semconv.SERVER_LIMIT: 1}
    assert recording.count(semconv.SERVER_SHED) == 1
    assert recording.count(semconv.SERVER_LIMITS) == 1
    assert recording.count(semconv.SERVER_SERVED) == 0
    assert recording.count(semconv.HTTP_SERVER_REQUEST_DURATION, "GET", "/v1/items", "503") == 1


async def test_http_once_there_is_room_requests_are_served_again(recording: Recording, parts: Parts) -> None:
    async with served(create_app(recording, parts, shedding=ONE)) as client:
        for path, status in (("/v1/items", 200), ("/v1/defect", 500), ("/v1/refusal", 409), ("/v1/items", 200)):
            assert (await client.get(path)).status == status


async def test_http_whoever_waits_in_the_queue_is_served_in_turn(recording: Recording, parts: Parts) -> None:
    async with busy(recording, parts, ONE_AND_ONE_WAITS) as client:
        second = asyncio.create_task(client.get("/v1/items"))
        third = asyncio.create_task(client.get("/v1/items"))
        done, _ = await asyncio.wait([second, third], return_when=asyncio.FIRST_COMPLETED)
        assert [each.result().status for each in done] == [503]
        parts.release.set()
        statuses = [(await each).status for each in (second, third)]
    assert sorted(statuses) == [200, 503]


async def test_http_a_deadline_ends_the_wait_for_a_turn(recording: Recording, parts: Parts) -> None:
    async with busy(recording, parts, ONE_AND_ONE_WAITS) as client:
        assert (await client.get("/v1/items", **{"X-Request-Timeout-Ms": "20"})).status == 408


async def test_http_a_request_that_its_deadline_ended_makes_room(recording: Recording, parts: Parts) -> None:
    async with served(create_app(recording, parts, shedding=ONE_AND_ONE_WAITS)) as client:
        first = asyncio.create_task(client.get("/v1/work", **{"X-Request-Timeout-Ms": "200"}))
        begun = asyncio.create_task(parts.begun.wait())
        await asyncio.wait([first, begun], return_when=asyncio.FIRST_COMPLETED)
        assert (await client.get("/v1/items")).status == 200
        assert (await first).status == 408
        begun.cancel()


class Busy:
    """A gRPC toy that works on one call for as long as the test wants."""

    def __init__(self) -> None:
        self.begun, self.release = asyncio.Event(), asyncio.Event()

    async def __call__(self, _: Context) -> None:
        self.begun.set()
        await self.release.wait()


async def full(busy: Busy, call: Callable[[], Awaitable[object]]) -> "asyncio.Future[object]":
    """The call that it works on."""
    first = asyncio.ensure_future(call())
    await busy.begun.wait()
    return first


async def test_grpc_what_is_too_much_is_refused_with_when_to_come_again(recording: Recording) -> None:
    busy = Busy()
    async with (
        rpc_toy.served(recording, busy, shedding=ONE) as port,
        grpc.aio.insecure_channel(f"{HOST}:{port}") as channel,
    ):
        ask = channel.unary_unary(
            f"/{METHOD}",
            request_serializer=pb.GetPaymentRequest.SerializeToString,
            response_deserializer=pb.GetPaymentResponse.FromString,
        )
        first = await full(busy, lambda: _awaited(ask(REQUEST)))
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await ask(REQUEST)
        busy.release.set()
        await first
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    assert ("grpc-retry-pushback-ms", "1000") in list(caught.value.trailing_metadata())
    assert recording.count(semconv.SERVER_SHED) == 1
    assert recording.count(semconv.RPC_SERVER_CALL_DURATION, METHOD, "UNAVAILABLE") == 1
    events = [each.name for span in recording.spans if span.name == METHOD for each in span.events]
    assert events == [semconv.EVENT_SERVER_SHED]


async def _awaited(call: Awaitable[object]) -> object:
    return await call


async def test_grpc_a_client_of_ours_understands(recording: Recording) -> None:
    busy = Busy()
    async with (
        rpc_toy.served(recording, busy, shedding=ONE) as port,
        rpc_client(recording, port) as (client, stub),
    ):
        first = await full(busy, lambda: client.call("GetPayment", stub.GetPayment, REQUEST, idempotent=True))
        with pytest.raises(PeerFailedError) as caught:
            await client.call("GetPayment", stub.GetPayment, REQUEST, idempotent=True)
        busy.release.set()
        await first
    assert (caught.value.problem.slug, caught.value.pushback) == ("overloaded", 1.0)
    assert recording.count(semconv.CALL_ATTEMPTS, "payments", "GetPayment", "backpressure") == 1


async def test_grpc_health_is_never_shed(recording: Recording) -> None:
    busy = Busy()
    async with (
        rpc_toy.served(recording, busy, shedding=ONE) as port,
        rpc_client(recording, port) as (client, stub),
        grpc.aio.insecure_channel(f"{HOST}:{port}") as channel,
    ):
        first = await full(busy, lambda: client.call("GetPayment", stub.GetPayment, REQUEST, idempotent=True))
        health: Any = health_pb2_grpc.HealthStub(channel)  # its types are those of a synchronous one
        answer = await health.Check(health_pb2.HealthCheckRequest())
        busy.release.set()
        await first
    assert answer.status == health_pb2.HealthCheckResponse.SERVING

"""What travels between callers about retries, in both protocols: that they were made, and that none are wanted."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest

from observability import semconv
from services.chassis.calls import CallSeam
from services.chassis.edge import Edge
from services.chassis.errors import (
    CallError,
    CircuitOpenError,
    FaultlineError,
    PeerUnavailableError,
)
from services.chassis.http import app
from services.chassis.http.client import HttpClient, HttpRequest
from services.chassis.http.server import HttpServer
from services.chassis.resilience import deadline
from services.chassis.resilience.deadline import Deadline
from services.chassis.resilience.pipeline import EdgePolicy
from services.chassis.resilience.retry import RetryConfig
from services.chassis.rpc.client import RpcClient
from services.contracts.errors import CATALOGUE
from services.contracts.payments.v1 import payments_pb2 as pb
from services.contracts.payments.v1.payments_pb2_grpc import PaymentsStub
from tests.integration.chassis.peers import answers, raw_peer, with_body
from tests.integration.chassis.ports import HOST, free_port
from tests.integration.chassis.rpc_toy import PAYMENTS, Context, served
from tests.unit.chassis.recording import Recording

RETRYING = EdgePolicy(attempt_timeout=60.0, retry=RetryConfig(base_delay_s=0.001, max_delay_s=0.001))
BEHIND = Edge("peer", "behind", "grpc")

Ask = Callable[[], Any]


def failure(*, retried: bool) -> PeerUnavailableError:
    error = PeerUnavailableError(BEHIND, "Look", "refused")
    error.retried = retried
    return error


def seam(recording: Recording) -> CallSeam:
    return CallSeam(Edge("toy", "peer", "grpc"), RETRYING, recording.telemetry, CATALOGUE)


@asynccontextmanager
async def over_http(recording: Recording, fail: Callable[[], BaseException]) -> AsyncIterator[Ask]:
    """A caller and its peer, which fails each time it is asked."""
    peer, port = app.create(recording.telemetry, CATALOGUE, []), free_port()

    @peer.get("/ask")
    async def ask() -> None:
        raise fail()

    server = HttpServer("peer", peer, HOST, port)
    client = HttpClient([f"http://{HOST}:{port}"], seam(recording), recording.telemetry)
    await server.start()
    await client.start()
    try:
        yield lambda: client.request("ask", HttpRequest("GET", "/ask"), idempotent=True)
    finally:
        await client.stop()
        await server.drain()
        await server.stop()


@asynccontextmanager
async def over_grpc(recording: Recording, fail: Callable[[], BaseException]) -> AsyncIterator[Ask]:
    async def handle(_: Context) -> None:
        raise fail()

    async with served(recording, handle) as port, grpc_client(recording, port) as ask:
        yield ask


@asynccontextmanager
async def grpc_client(recording: Recording, port: int) -> AsyncIterator[Ask]:
    client = RpcClient(PAYMENTS, [f"{HOST}:{port}"], seam(recording), recording.telemetry)
    method = PaymentsStub(client.channel).GetPayment
    try:
        yield lambda: client.call("ask", method, pb.GetPaymentRequest(), idempotent=True)
    finally:
        await client.stop()


both = pytest.mark.parametrize("over", [over_http, over_grpc])


def attempts(recording: Recording) -> int:
    return sum(
        recording.count(semconv.CALL_ATTEMPTS, "peer", "ask", outcome) or 0 for outcome in ("failure", "backpressure")
    )


async def error_of(ask: Ask) -> FaultlineError:
    with pytest.raises(FaultlineError) as caught:
        await ask()
    return caught.value


@both
async def test_who_is_next_to_the_failure_retries(recording: Recording, over: Any) -> None:
    async with over(recording, lambda: PeerUnavailableError(BEHIND, "Look", "refused", retry_after=0.001)) as ask:
        error = await error_of(ask)
    assert error.retried
    assert attempts(recording) == 3


@both
async def test_who_is_further_away_does_not_and_says_so_too(recording: Recording, over: Any) -> None:
    async with over(recording, lambda: failure(retried=True)) as ask:
        error = await error_of(ask)
    assert isinstance(error, CallError)
    assert error.retried
    assert attempts(recording) == 1


@both
async def test_an_open_breaker_behind_the_peer_says_so(recording: Recording, over: Any) -> None:
    async with over(recording, lambda: CircuitOpenError(BEHIND, "Look", "open", retry_after=7.0)) as ask:
        error = await error_of(ask)
    assert (error.retried, error.pushback) == (True, 7.0)
    assert attempts(recording) == 1


@pytest.mark.parametrize(
    ("asked", "expected"), [(b"0", 3), (b"1", 3), (b"-1", 1), (b"soon", 1), (b"", 1), (b"99999999999", 1)]
)
async def test_grpc_peers_can_ask_for_peace(recording: Recording, asked: bytes, expected: int) -> None:
    async def handle(context: Context) -> None:
        metadata = (("grpc-retry-pushback-ms", asked.decode()),)
        await context.abort(grpc.StatusCode.UNAVAILABLE, "busy", metadata)

    async with served(recording, handle) as port, grpc_client(recording, port) as ask:
        await error_of(ask)
    assert attempts(recording) == expected


async def test_so_can_http_peers_by_a_header(recording: Recording) -> None:
    raw = with_body(503, b'{"type": "/problems/service-unavailable"}').replace(
        b"\r\n\r\n", b"\r\nRetry-After: 120\r\n\r\n", 1
    )
    async with raw_peer(answers(raw)) as port:
        client = HttpClient([f"http://{HOST}:{port}"], seam(recording), recording.telemetry)
        await client.start()
        with deadline.bound(Deadline.after(60)):
            error = await error_of(lambda: client.request("ask", HttpRequest("GET", "/"), idempotent=True))
        await client.stop()
    assert error.pushback == 120.0
    assert attempts(recording) == 1, "it would be too late"

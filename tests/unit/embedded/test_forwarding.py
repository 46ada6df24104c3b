"""What is sent on to another collector, and what becomes of it when that is away, slow or unwilling."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest
from prometheus_client import CollectorRegistry

from deploy.ports import FreePorts
from observability.embedded.forwarding import Forwarder
from observability.embedded.otlp_receiver import Ingest
from observability.embedded.store import Bounds, MemoryTraceStore
from observability.metrics import Instruments
from tests.unit.embedded.running import running
from tests.unit.embedded.spans import Made, request
from tests.waiting import become, eventually

SERVICE = "opentelemetry.proto.collector.trace.v1.TraceService"
HOST = "127.0.0.1"


class Collector:
    """Keeps what it is sent, or answers with `refusal`, or, while it `hangs`, never; `asked` is set by the first."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.got: list[bytes] = []
        self.refusal: grpc.StatusCode | None = None
        self.hangs = False
        self.asked = asyncio.Event()

    async def start(self) -> None:
        self._server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        handler: grpc.RpcMethodHandler[bytes, bytes] = grpc.unary_unary_rpc_method_handler(self._export)
        self._server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(SERVICE, {"Export": handler})])
        self._server.add_insecure_port(f"{HOST}:{self.port}")
        await self._server.start()

    async def stop(self) -> None:
        await self._server.stop(grace=None)

    async def _export(self, body: bytes, context: grpc.aio.ServicerContext[Any, Any]) -> bytes:
        self.asked.set()
        if self.hangs:
            await asyncio.Event().wait()
        if self.refusal:
            await context.abort(self.refusal, "no")
        self.got.append(body)
        return b""


@pytest.fixture
def metrics() -> Instruments:
    return Instruments(CollectorRegistry())


@pytest.fixture
async def collector() -> AsyncIterator[Collector]:
    """One that is there, unless it is stopped."""
    ports = FreePorts(HOST)
    made = Collector(ports.take())
    await made.start()
    yield made
    await made.stop()
    ports.claim.close()


@asynccontextmanager
async def forwarding(collector: Collector, metrics: Instruments, room: int = 1_000) -> AsyncIterator[Forwarder]:
    forwarder = Forwarder(f"http://{HOST}:{collector.port}", metrics, room)
    await forwarder.start()
    try:
        yield forwarder
    finally:
        await forwarder.drain()


def counted(metrics: Instruments) -> dict[str, float]:
    """Spans by what became of them; those that are none left out."""
    prefix = 'faultline_backend_forward_spans_total{faultline_backend_result="'
    lines = [each.removeprefix(prefix) for each in exposition(metrics) if each.startswith(prefix)]
    found = {name: float(value) for name, _, value in (line.partition('"} ') for line in lines)}
    assert set(found) == {"forwarded", "failed", "dropped"}
    return {name: value for name, value in found.items() if value}


def waiting(metrics: Instruments) -> float:
    prefix = "faultline_backend_forward_waiting_bytes "
    return next(float(each.removeprefix(prefix)) for each in exposition(metrics) if each.startswith(prefix))


def exposition(metrics: Instruments) -> list[str]:
    return metrics.exposition()[0].decode().splitlines()


async def test_what_is_offered_arrives_in_order_and_is_counted(collector: Collector, metrics: Instruments) -> None:
    async with forwarding(collector, metrics) as forwarder:
        forwarder.offer(b"one", 1)
        forwarder.offer(b"two", 2)
    assert (collector.got, counted(metrics), waiting(metrics)) == ([b"one", b"two"], {"forwarded": 3}, 0)


async def test_it_waits_for_a_collector_that_is_away(
    collector: Collector, metrics: Instruments, caplog: pytest.LogCaptureFixture
) -> None:
    await collector.stop()
    with caplog.at_level("INFO", "observability.embedded.forwarding"):
        async with forwarding(collector, metrics) as forwarder:
            forwarder.offer(b"one", 1)

            async def check() -> None:
                assert any("away" in each.message for each in caplog.records)

            await become(check)
            assert (counted(metrics), waiting(metrics)) == ({}, 3)
            await collector.start()

            async def arrived() -> None:
                assert collector.got == [b"one"]

            await become(arrived, within=30)
    assert [each.message for each in caplog.records] == [
        "the next collector is away: spans wait for it",
        "the next collector is back",
    ]


async def test_what_waits_is_bounded_and_what_is_turned_away_is_counted(
    collector: Collector, metrics: Instruments
) -> None:
    await collector.stop()
    async with forwarding(collector, metrics, room=10) as forwarder:
        forwarder.offer(b"eight...", 4)
        forwarder.offer(b"four", 2)
        forwarder.offer(b"2.", 1)
        assert (counted(metrics), waiting(metrics)) == ({"dropped": 2}, 10)
        await collector.start()

        async def arrived() -> None:
            assert collector.got == [b"eight...", b"2."]

        await become(arrived, within=30)
    assert counted(metrics) == {"dropped": 2, "forwarded": 5}


async def test_what_is_refused_for_good_is_lost_and_the_rest_goes_on(
    collector: Collector, metrics: Instruments, caplog: pytest.LogCaptureFixture
) -> None:
    collector.refusal = grpc.StatusCode.INVALID_ARGUMENT
    async with forwarding(collector, metrics) as forwarder:
        forwarder.offer(b"bad", 3)

        async def check() -> None:
            assert counted(metrics) == {"failed": 3}

        await become(check)
        collector.refusal = None
        forwarder.offer(b"good", 1)
    assert collector.got == [b"good"]
    assert [each.message for each in caplog.records] == ["the next collector refuses spans"]


async def test_at_the_end_nobody_waits_for_a_collector_that_is_away(collector: Collector, metrics: Instruments) -> None:
    await collector.stop()
    forwarder = Forwarder("http://127.0.0.1:1", metrics)
    await forwarder.start()
    for number in range(5):
        forwarder.offer(str(number).encode(), 1)
    await forwarder.drain()
    forwarder.offer(b"late", 1)
    assert counted(metrics) == {"failed": 5, "dropped": 1}


async def test_a_drain_that_is_cut_short_ends(collector: Collector, metrics: Instruments) -> None:
    collector.hangs = True
    forwarder = Forwarder(f"http://{HOST}:{collector.port}", metrics)
    await forwarder.start()
    forwarder.offer(b"one", 1)
    await collector.asked.wait()
    draining = asyncio.create_task(forwarder.drain())
    await asyncio.sleep(0)  # so that it has begun
    draining.cancel()
    with pytest.raises(asyncio.CancelledError):
        await draining


def test_all_that_comes_is_handed_on_as_it_came(metrics: Instruments) -> None:
    class Kept:
        def __init__(self) -> None:
            self.offered: list[tuple[bytes, int]] = []

        def offer(self, body: bytes, spans: int) -> None:
            self.offered.append((body, spans))

    kept = Kept()
    body = request(Made(), Made(), Made(span_id=b"")).SerializeToString()
    Ingest(MemoryTraceStore(Bounds(10, 10_000)), metrics, kept).take(body)
    assert kept.offered == [(body, 3)]


def test_a_trace_is_in_both_backends() -> None:
    with (
        running() as second,
        running({"FORWARD_OTLP_ENDPOINT": f"http://{HOST}:{second.otlp_grpc_port}"}) as first,
        first.tracer("orders") as tracer,
    ):
        span = tracer.start_span("reserve")
        span.end()
        trace_id = f"{span.get_span_context().trace_id:032x}"

        def check() -> None:
            assert second.get(f"/api/traces/{trace_id}").status == 200

        eventually(check)
        assert first.get(f"/api/traces/{trace_id}").status == 200

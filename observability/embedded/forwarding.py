"""Sends every export request on to another collector, as it came, and never makes a sender wait for that.

What waits is bounded; when it is full, the newest is turned away. A collector that is away is asked again until it is back,
as the protocol says for what may be retried (https://opentelemetry.io/docs/specs/otlp/#failures); the rest of a request that
it refuses is lost. Each span is counted as forwarded, failed or dropped.
"""

import asyncio
import logging
from collections import deque
from contextlib import suppress
from typing import Final, NamedTuple, Protocol
from urllib.parse import urlsplit

import grpc

from observability import semconv
from observability.metrics import Instruments

log = logging.getLogger(__name__)

FORWARDED, FAILED, DROPPED = semconv.BACKEND_FORWARD_RESULTS
MAX_WAITING_BYTES: Final = 32 << 20
_METHOD: Final = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
_TIMEOUT_S: Final = 5.0
_FIRST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 2.0
_RETRYABLE: Final = frozenset(
    {
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.OUT_OF_RANGE,
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DATA_LOSS,
    }
)
_OPTIONS: Final = [
    ("grpc.enable_http_proxy", 0),  # it would be asked even for a collector on the loopback
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
]


def declare(metrics: Instruments) -> None:
    """Makes the metrics exist at zero, also where nothing is sent on, so that their panel says so."""
    for result in semconv.BACKEND_FORWARD_RESULTS:
        metrics.zero(semconv.BACKEND_FORWARDED_SPANS, result)
    metrics.set(semconv.BACKEND_FORWARD_WAITING, 0)


class Next(Protocol):
    """Whoever gets what was taken."""

    def offer(self, body: bytes, spans: int) -> None:
        """Takes a serialized ExportTraceServiceRequest with that many spans; returns at once."""


class _Waiting(NamedTuple):
    body: bytes
    spans: int


class Forwarder:
    """To the OTLP/gRPC collector at `endpoint`, `http://host:port`. To be made and used in one event loop."""

    def __init__(self, endpoint: str, metrics: Instruments, max_waiting_bytes: int = MAX_WAITING_BYTES) -> None:
        self._endpoint, self._metrics = endpoint, metrics
        self._max_waiting_bytes = max_waiting_bytes
        self._queue: deque[_Waiting] = deque()
        self._waiting_bytes = 0
        self._arrived = asyncio.Event()
        self._ending = asyncio.Event()
        self._away = False
        declare(metrics)

    def offer(self, body: bytes, spans: int) -> None:
        """Queues a request, or turns it away."""
        if self._ending.is_set() or self._waiting_bytes + len(body) > self._max_waiting_bytes:
            self._metrics.add(semconv.BACKEND_FORWARDED_SPANS, DROPPED, amount=spans)
            return
        self._queue.append(_Waiting(body, spans))
        self._waiting_bytes += len(body)
        self._measure()
        self._arrived.set()

    async def start(self) -> None:
        self._channel = grpc.aio.insecure_channel(urlsplit(self._endpoint).netloc, options=_OPTIONS)
        self._export: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = self._channel.unary_unary(_METHOD)
        self._task = asyncio.create_task(self._run())

    async def drain(self) -> None:
        """Sends what waits, as long as the collector takes it; being cancelled cuts that short."""
        self._ending.set()
        self._arrived.set()
        try:
            await asyncio.shield(self._task)
        finally:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            await self._channel.close()

    async def _run(self) -> None:
        while True:
            while self._queue:
                await self._forward(self._queue[0])
                self._waiting_bytes -= len(self._queue.popleft().body)
                self._measure()
            if self._ending.is_set():
                return
            self._arrived.clear()
            await self._arrived.wait()

    async def _forward(self, request: _Waiting) -> None:
        pause_s = _FIRST_PAUSE_S
        while (code := await self._try(request.body)) in _RETRYABLE:
            self._report(away=True, why=code.name)
            if self._ending.is_set():
                break
            await self._pause(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
        if code is grpc.StatusCode.OK:
            self._report(away=False)
        result = FORWARDED if code is grpc.StatusCode.OK else FAILED
        self._metrics.add(semconv.BACKEND_FORWARDED_SPANS, result, amount=request.spans)

    async def _try(self, body: bytes) -> grpc.StatusCode:
        try:
            await self._export(body, timeout=_TIMEOUT_S)
        except grpc.aio.AioRpcError as exc:
            if exc.code() not in _RETRYABLE:
                log.warning("the next collector refuses spans", extra={"collector": self._endpoint, "reason": str(exc)})
            return exc.code()
        return grpc.StatusCode.OK

    async def _pause(self, seconds: float) -> None:
        """Less when it is to end."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._ending.wait(), seconds)

    def _report(self, *, away: bool, why: str = "") -> None:
        if away and not self._away:
            log.warning(
                "the next collector is away: spans wait for it", extra={"collector": self._endpoint, "code": why}
            )
        elif self._away and not away:
            log.info("the next collector is back", extra={"collector": self._endpoint})
        self._away = away

    def _measure(self) -> None:
        self._metrics.set(semconv.BACKEND_FORWARD_WAITING, self._waiting_bytes)

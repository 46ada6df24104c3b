"""Takes spans: OTLP's trace service over gRPC, and what any transport of it does with a request."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any, Final

import grpc
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from observability import semconv
from observability.embedded import otlp_limits as limits
from observability.embedded.forwarding import Next
from observability.embedded.otlp import Decoder, MalformedExportError, parse_protobuf
from observability.embedded.ports import TraceSink
from observability.embedded.traces_file import TracesFile
from observability.metrics import Instruments
from observability.sockets import PortTakenError, bind

log = logging.getLogger(__name__)

SERVICE: Final = "opentelemetry.proto.collector.trace.v1.TraceService"

MAX_BODY_BYTES: Final = 16 << 20
"""The most that one export request may have, unpacked; exporters split far below."""

_OPTIONS: Final = [
    ("grpc.so_reuseport", 0),  # a taken port is an error, not a silent sharing of its connections
    ("grpc.max_receive_message_length", MAX_BODY_BYTES),
]


class Ingest:
    """Decodes, stores, counts and hands on one export request after the other, whatever transport it came by.

    `following` gets each of them, `journal` each that holds a span which was taken.
    """

    def __init__(
        self, sink: TraceSink, metrics: Instruments, following: Next | None = None, journal: TracesFile | None = None
    ) -> None:
        self._sink, self._metrics = sink, metrics
        self._following, self._journal = following, journal
        self._decoder = Decoder()
        for result in semconv.BACKEND_RESULTS:
            metrics.zero(semconv.BACKEND_SPANS, result)
        for counter in (semconv.BACKEND_MALFORMED_EXPORTS, semconv.BACKEND_CUT_SPANS, *_OF_THE_JOURNAL):
            metrics.zero(counter)
        self._measure()

    def restore(self) -> int:
        """Stores what the journal has, and opens it for more; returns the number of spans. Needed before `take`."""
        if self._journal is None:
            return 0
        restored = 0
        for body in self._journal.replay():
            added = self._sink.add(self._decoder.decode(parse_protobuf(body)).spans)
            restored += added.taken
            self._metrics.add(semconv.BACKEND_SPANS, semconv.BACKEND_DROPPED, amount=added.dropped)
        self._metrics.add(semconv.BACKEND_RESTORED_SPANS, amount=restored)
        self._metrics.add(semconv.BACKEND_FILE_CUT, amount=self._journal.cut_bytes)
        self._measure()
        return restored

    def take(
        self, body: bytes, parse: Callable[[bytes], ExportTraceServiceRequest] = parse_protobuf
    ) -> ExportTraceServiceResponse:
        """Stores what `parse` reads in `body`; the answer says how many spans were refused.

        Raises what `parse` raises, MalformedExportError.
        """
        try:
            request = parse(body)
        except MalformedExportError:
            self.refused()
            raise
        spans, refused, cut = self._decoder.decode(request)
        added = self._sink.add(spans)
        for result, amount in zip(semconv.BACKEND_RESULTS, (added.taken, refused, added.dropped), strict=True):
            self._metrics.add(semconv.BACKEND_SPANS, result, amount=amount)
        self._metrics.add(semconv.BACKEND_CUT_SPANS, amount=cut)
        if spans and self._journal is not None:
            self._write(self._journal, body if parse is parse_protobuf and not cut else request.SerializeToString())
        self._measure()
        if self._following:
            self._following.offer(request.SerializeToString(), len(spans) + refused)
        return _answer(refused)

    def _write(self, journal: TracesFile, request: bytes) -> None:
        lost = journal.lost
        journal.append(request)
        self._metrics.add(semconv.BACKEND_FILE_LOST, amount=journal.lost - lost)

    def refused(self) -> None:
        """Counts a request that could not be read."""
        self._metrics.add(semconv.BACKEND_MALFORMED_EXPORTS)

    def _measure(self) -> None:
        size = self._sink.size()
        self._metrics.set(semconv.BACKEND_STORED_SPANS, size.spans)
        self._metrics.set(semconv.BACKEND_STORED_TRACES, size.traces)
        self._metrics.set(semconv.BACKEND_STORED_BYTES, size.bytes)
        self._metrics.set(semconv.BACKEND_FILE_BYTES, self._journal.size_bytes if self._journal else 0)


_OF_THE_JOURNAL: Final = (semconv.BACKEND_RESTORED_SPANS, semconv.BACKEND_FILE_CUT, semconv.BACKEND_FILE_LOST)


def _answer(refused: int) -> ExportTraceServiceResponse:
    answer = ExportTraceServiceResponse()
    if refused:
        answer.partial_success.rejected_spans = refused
        answer.partial_success.error_message = _REFUSED
        log.warning("spans refused", extra={"spans": refused, "reason": _REFUSED})
    return answer


_REFUSED: Final = (
    f"ids must have 16 (trace) and 8 (span) bytes, not all zero, and a span {limits.MAX_BYTES} bytes at most"
)


_read: ContextVar[list[bool]] = ContextVar("_read")
"""Of the request at hand: not empty once its handler has begun."""


class _CountsUnread(grpc.aio.ServerInterceptor):
    """Counts requests that gRPC itself refuses before a handler sees them, as one that is too large once unpacked."""

    def __init__(self, ingest: Ingest) -> None:
        self._ingest = ingest

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable["grpc.RpcMethodHandler[Any, Any] | None"]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> "grpc.RpcMethodHandler[Any, Any] | None":
        read = list[bool]()
        _read.set(read)
        if (task := asyncio.current_task()) is not None:
            task.add_done_callback(lambda _: None if read else self._ingest.refused())
        return await continuation(handler_call_details)


class OtlpGrpcListener:
    """OTLP over gRPC on `host:port`; `port` is the real one once started."""

    def __init__(self, ingest: Ingest, host: str, port: int) -> None:
        self.port = port
        self._ingest, self._host = ingest, host

    async def start(self) -> None:
        """Raises PortTakenError."""
        # gRPC's own error names neither setting nor port, and more than one line: ask the system first.
        bind("OTLP_GRPC_PORT", self._host, self.port).close()
        self._server = grpc.aio.server(options=_OPTIONS, interceptors=[_CountsUnread(self._ingest)])
        handler: grpc.RpcMethodHandler[bytes, ExportTraceServiceResponse] = grpc.unary_unary_rpc_method_handler(
            self._export, response_serializer=ExportTraceServiceResponse.SerializeToString
        )
        self._server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(SERVICE, {"Export": handler})])
        try:
            self.port = self._server.add_insecure_port(f"{_bracketed(self._host)}:{self.port}")
        except RuntimeError as exc:  # taken since we asked
            raise PortTakenError("OTLP_GRPC_PORT", self._host, self.port) from exc
        await self._server.start()

    async def drain(self) -> None:
        await self._server.stop(grace=_UNTIL_CUT_OFF_S)

    async def _export(self, body: bytes, context: grpc.aio.ServicerContext[Any, Any]) -> ExportTraceServiceResponse:
        _read.get().append(True)
        try:
            return self._ingest.take(body)
        except MalformedExportError as exc:
            log.warning("export refused", extra={"reason": str(exc), "peer": context.peer()})
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(exc))


_UNTIL_CUT_OFF_S: Final = 3600.0  # the process's drain timeout is the one that counts


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host

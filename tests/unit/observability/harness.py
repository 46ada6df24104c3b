"""What the tests of this folder share: a collector, readers for what was written, and telemetry that cleans up."""

import io
import json
from collections.abc import Iterable, Iterator
from concurrent import futures
from contextlib import contextmanager
from typing import Any

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span
from opentelemetry.sdk.trace.export import SpanExporter
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from observability import telemetry
from observability.metrics import Instruments
from observability.semconv import TELEMETRY_RESULTS, TELEMETRY_SPANS
from observability.telemetry import Telemetry, TelemetryConfig

OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"

CONFIG = TelemetryConfig("orders", "1.2.3", "orders-1", otlp_endpoint=None)


class Collector(trace_service_pb2_grpc.TraceServiceServicer):
    """Keeps what it is sent."""

    def __init__(self) -> None:
        self.received: list[ResourceSpans] = []

    def Export(  # noqa: N802  # gRPC's name
        self,
        request: trace_service_pb2.ExportTraceServiceRequest,
        context: grpc.ServicerContext,  # noqa: ARG002  # gRPC's signature
    ) -> trace_service_pb2.ExportTraceServiceResponse:
        self.received.extend(request.resource_spans)
        return trace_service_pb2.ExportTraceServiceResponse()

    @property
    def spans(self) -> list[Span]:
        return [span for resource in self.received for scope in resource.scope_spans for span in scope.spans]

    @contextmanager
    def listening(self, port: int = 0) -> Iterator[int]:
        """Serve at `port` (0: a free one) of the loopback, and yield it."""
        server = grpc.server(futures.ThreadPoolExecutor(1), options=[("grpc.so_reuseport", 0)])
        trace_service_pb2_grpc.add_TraceServiceServicer_to_server(self, server)  # type: ignore[no-untyped-call]  # generated code
        bound = server.add_insecure_port(f"127.0.0.1:{port}")
        server.start()
        try:
            yield bound
        finally:
            server.stop(grace=0).wait()


@contextmanager
def started(
    config: TelemetryConfig = CONFIG,
    *,
    log_stream: io.StringIO | None = None,
    span_exporter: SpanExporter | None = None,
) -> Iterator[Telemetry]:
    running = telemetry.start(config, log_stream=log_stream or io.StringIO(), span_exporter=span_exporter)
    try:
        yield running
    finally:
        running.shutdown()


def samples(instruments: Instruments, name: str) -> list[Sample]:
    """Samples called `name` in the OpenMetrics exposition, read by Prometheus' own strict parser."""
    body, content_type = instruments.exposition(OPENMETRICS)
    assert content_type.startswith("application/openmetrics-text")
    families: Iterable[Any] = text_string_to_metric_families(body.decode())  # type: ignore[no-untyped-call]
    return [sample for family in families for sample in family.samples if sample.name == name]


def span_counts(instruments: Instruments) -> dict[str, int]:
    """Spans by what became of them."""
    found = {
        s.labels["faultline_telemetry_result"]: s.value for s in samples(instruments, TELEMETRY_SPANS.prometheus_name)
    }
    return {result: int(found.get(result, 0)) for result in TELEMETRY_RESULTS}


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    """Every log line, parsed."""
    return [json.loads(line) for line in stream.getvalue().splitlines()]

"""Builds the tracer provider of one process: who it is, what is sampled, and where its spans go."""

from typing import Final
from urllib.parse import urlsplit

from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.propagate import set_global_textmap
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from observability.metrics import Instruments
from observability.redaction import Redactor
from observability.span_export import BoundedSpanProcessor, ReportingExporter

QUEUE_CAPACITY: Final = 2048  # spans
LINGER_S: Final = 0.2  # a trace should be there when its reader looks for it
SHUTDOWN_S: Final = 1.25  # 2 s are promised: the rest is for a machine that is busy
# Within it the exporter tries three times, at 0, 1 and 3 s: a collector that is being restarted loses nothing.
EXPORT_TIMEOUT_S: Final = 5.0
MAX_ATTRIBUTE_LENGTH: Final = 16_384  # characters: a whole stack trace, but not whatever a stranger sends


def tracer_provider(resource: dict[str, str], sample_ratio: float, processor: SpanProcessor | None) -> TracerProvider:
    """A provider that samples `sample_ratio` (0 to 1) of the traces that start here, and follows the caller's choice else.

    Without a processor spans have ids, so that logs and answers carry them, and go nowhere.
    """
    provider = TracerProvider(
        sampler=ParentBased(TraceIdRatioBased(sample_ratio)),
        resource=Resource(resource),
        span_limits=SpanLimits(max_attribute_length=MAX_ATTRIBUTE_LENGTH),
        shutdown_on_exit=False,  # whoever starts telemetry stops it
    )
    if processor is not None:
        provider.add_span_processor(processor)
    return provider


def batching(
    endpoint: str, instruments: Instruments, redactor: Redactor, *, export_timeout_s: float = EXPORT_TIMEOUT_S
) -> BoundedSpanProcessor:
    """Spans go to an OTLP/gRPC collector (`http://host:port`; TLS if `https`), in batches, off the caller's thread."""
    exporter = ReportingExporter(_otlp_exporter(endpoint, export_timeout_s), endpoint, instruments, redactor)
    return BoundedSpanProcessor(
        exporter, instruments, capacity=QUEUE_CAPACITY, linger_s=LINGER_S, shutdown_s=SHUTDOWN_S
    )


def immediate(exporter: SpanExporter, instruments: Instruments, redactor: Redactor) -> SpanProcessor:
    """Spans go to `exporter` as they end, on the thread that ends them: for tests."""
    return SimpleSpanProcessor(ReportingExporter(exporter, type(exporter).__name__, instruments, redactor))


def propagate_w3c() -> None:
    """Trace context and baggage travel as W3C's headers, whatever the environment says; the one global of telemetry."""
    set_global_textmap(CompositePropagator([TraceContextTextMapPropagator(), W3CBaggagePropagator()]))


def _otlp_exporter(endpoint: str, timeout_s: float) -> SpanExporter:
    # gRPC and the OTLP messages take longer to import than all else here, and not every process exports.
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter  # noqa: PLC0415

    return OTLPSpanExporter(
        endpoint=endpoint,
        insecure=urlsplit(endpoint).scheme != "https",
        timeout=timeout_s,
        # With `http_proxy` in its environment gRPC would ask that proxy even for a collector on the loopback.
        channel_options=(("grpc.enable_http_proxy", 0),),  # type: ignore[arg-type]  # gRPC takes numbers, its type does not
    )

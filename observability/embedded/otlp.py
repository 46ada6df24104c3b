"""From an OTLP export request to span records. Pure but for the pool of origins."""

from collections.abc import Iterator
from typing import Final, NamedTuple
from weakref import WeakValueDictionary

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from observability import semconv
from observability.embedded import otlp_limits as limits
from observability.embedded.attributes import text
from observability.embedded.records import Origin, SpanRecord

# Jaeger's names for services that do not say theirs.
MISSING_SERVICE: Final = "missing-service-name"
EMPTY_SERVICE: Final = "empty-service-name"

_NO_TRACE: Final = bytes(16)
_NO_SPAN: Final = bytes(8)


class MalformedExportError(ValueError):
    """What came is not an OTLP trace export request, in whatever encoding."""


class Decoded(NamedTuple):
    """The spans that can be kept; how many could not, as their ids are none or they are too large; how many were cut."""

    spans: list[SpanRecord]
    refused: int
    cut: int


def parse_protobuf(body: bytes) -> ExportTraceServiceRequest:
    """Raises MalformedExportError if `body` is none."""
    try:
        return ExportTraceServiceRequest.FromString(body)
    except DecodeError as exc:
        raise MalformedExportError(f"not an ExportTraceServiceRequest: {exc}") from exc


class Decoder:
    """Decodes export requests; equal origins become one object for as long as any span has it."""

    def __init__(self) -> None:
        self._origins: WeakValueDictionary[tuple[bytes, bytes], Origin] = WeakValueDictionary()

    def decode(self, request: ExportTraceServiceRequest) -> Decoded:
        """The spans of `request` as records; the request itself is cut to the limits on the way."""
        spans, refused, cut = list[SpanRecord](), 0, 0
        for span, origin, origin_cut in self._all(request):
            was_cut = origin_cut
            record = _record(span, origin) if _identified(span) else None
            if record is not None and len(record.payload) > limits.SMALL and limits.cut_span(span):
                record, was_cut = _record(span, origin), True
            if record is None or len(record.payload) > limits.MAX_BYTES:
                refused += 1
                continue
            spans.append(record)
            cut += was_cut
        return Decoded(spans, refused, cut)

    def _all(self, request: ExportTraceServiceRequest) -> Iterator[tuple[Span, Origin, bool]]:
        """Each span, who wrote it, and whether that had to be cut."""
        for group in request.resource_spans:
            service = _service(group.resource)
            resource_cut, resource = _cut(group.resource)
            for scoped in group.scope_spans:
                scope_cut, scope = _cut(scoped.scope)
                origin = self._origin(service, resource, scope)
                for span in scoped.spans:
                    yield span, origin, resource_cut or scope_cut

    def _origin(self, service: str, resource: bytes, scope: bytes) -> Origin:
        return self._origins.setdefault((resource, scope), Origin(service, resource, scope))


def _cut(origin: Resource | InstrumentationScope) -> tuple[bool, bytes]:
    """Whether it was cut to the limits, and its wire form."""
    was_cut = origin.ByteSize() > limits.SMALL and limits.cut_origin(origin)
    return was_cut, origin.SerializeToString()


def _service(resource: Resource) -> str:
    for each in resource.attributes:
        if each.key == semconv.SERVICE_NAME:
            return text(each.value)[: limits.MAX_TEXT] or EMPTY_SERVICE
    return MISSING_SERVICE


def _identified(span: Span) -> bool:
    """Whether its ids have the lengths of the protocol, and are not zero where they must not be."""
    return (
        len(span.trace_id) == 16
        and len(span.span_id) == 8
        and len(span.parent_span_id) in (0, 8)
        and span.trace_id != _NO_TRACE
        and span.span_id != _NO_SPAN
    )


def _record(span: Span, origin: Origin) -> SpanRecord:
    start, parent = span.start_time_unix_nano, span.parent_span_id
    return SpanRecord(
        span.trace_id,
        span.span_id,
        b"" if parent == _NO_SPAN else parent,
        span.name,
        span.kind,
        start,
        max(start, span.end_time_unix_nano),
        span.status.code == Status.STATUS_CODE_ERROR,
        origin,
        span.SerializeToString(),
    )

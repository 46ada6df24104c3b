"""The least that whoever takes spans must do: decode each message, and read each field of each span once."""

from collections.abc import Sequence
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

Plain = tuple[Any, ...]


def read(message: bytes) -> list[Plain]:
    """Its spans as plain objects."""
    request = ExportTraceServiceRequest.FromString(message)
    return [
        (_attributes(group.resource.attributes), scoped.scope.name, scoped.scope.version, *_span(span))
        for group in request.resource_spans
        for scoped in group.scope_spans
        for span in scoped.spans
    ]


def _span(span: Span) -> Plain:
    return (
        span.trace_id,
        span.span_id,
        span.parent_span_id,
        span.trace_state,
        span.flags,
        span.name,
        span.kind,
        span.start_time_unix_nano,
        span.end_time_unix_nano,
        _attributes(span.attributes),
        [(event.name, event.time_unix_nano, _attributes(event.attributes)) for event in span.events],
        [(link.trace_id, link.span_id, _attributes(link.attributes)) for link in span.links],
        (span.status.code, span.status.message),
    )


def _attributes(attributes: Sequence[KeyValue]) -> dict[str, Any]:
    return {each.key: _value(each.value) for each in attributes}


def _value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    return getattr(value, kind) if kind else None

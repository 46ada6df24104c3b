"""Traces as OTLP again, with what Jaeger 1.76 adjusts and adds in version 3 of its query API."""

from collections.abc import Iterator
from typing import Final

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, TracesData

from observability.embedded.jaeger_json import duration_warning, ends_too_soon, mended_end_ns
from observability.embedded.records import Origin, SpanRecord, Trace

_WARNINGS: Final = "@jaeger@warnings"


def add_trace(data: TracesData, trace: Trace) -> None:
    """Adds the trace's spans, by resource and scope; a span that came twice is there once."""
    known = {span.span_id for span in trace.spans}
    by_origin: dict[bytes, dict[Origin, list[SpanRecord]]] = {}
    for span in dict.fromkeys(trace.spans):
        by_origin.setdefault(span.origin.resource, {}).setdefault(span.origin, []).append(span)
    for resource, scopes in by_origin.items():
        group = data.resource_spans.add()
        group.resource.ParseFromString(resource)
        for origin, records in scopes.items():
            scoped = group.scope_spans.add()
            scoped.scope.ParseFromString(origin.scope)
            scoped.spans.extend(_adjusted(record, known) for record in records)


def _adjusted(record: SpanRecord, known: set[bytes]) -> Span:
    span = record.decoded()
    if warnings := [AnyValue(string_value=each) for each in _warnings(record, span, known)]:
        listed = AnyValue(array_value=ArrayValue(values=warnings))
        span.attributes.append(KeyValue(key=_WARNINGS, value=listed))
    if ends_too_soon(span):
        span.end_time_unix_nano = mended_end_ns(span)
    return span


def _warnings(record: SpanRecord, span: Span, known: set[bytes]) -> Iterator[str]:
    if ends_too_soon(span):
        yield duration_warning(span)
    if record.parent_id and record.parent_id not in known:
        yield f"parent span ID={record.parent_id.hex()} is not in the trace; skipping clock skew adjustment"

"""OTLP spans and requests for tests, made the way an exporter makes them."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from observability.embedded.otlp import Decoder
from observability.embedded.records import SpanRecord

MS = 1_000_000
START_NS = 1_767_229_200_000_000_000
"""2026-01-01 01:00:00 UTC."""

Plain = str | bool | int | float | bytes

_numbers = itertools.count(1)


def value(plain: Plain) -> AnyValue:
    if isinstance(plain, bool):
        return AnyValue(bool_value=plain)
    if isinstance(plain, int):
        return AnyValue(int_value=plain)
    if isinstance(plain, float):
        return AnyValue(double_value=plain)
    return AnyValue(bytes_value=plain) if isinstance(plain, bytes) else AnyValue(string_value=plain)


def attributes(plain: Mapping[str, Plain]) -> list[KeyValue]:
    return [KeyValue(key=key, value=value(each)) for key, each in plain.items()]


def trace_id(number: int) -> bytes:
    return number.to_bytes(16, "big")


def new_span_id() -> bytes:
    return next(_numbers).to_bytes(8, "big")


@dataclass(frozen=True)
class Made:
    """One span to make; times are milliseconds after `START_NS`."""

    trace: int = 1
    service: str | None = "orders"
    name: str = "POST /orders"
    start_ms: float | Fraction = 0
    duration_ms: float = 1
    kind: int = Span.SPAN_KIND_SERVER
    failed: bool = False
    message: str = ""
    tags: Mapping[str, Plain] = field(default_factory=dict)
    resource: Mapping[str, Plain] = field(default_factory=dict)
    parent: bytes = b""
    span_id: bytes = field(default_factory=new_span_id)
    events: Sequence[tuple[str, Mapping[str, Plain]]] = ()

    def span(self) -> Span:
        start = START_NS + round(self.start_ms * MS)
        made = Span(
            trace_id=trace_id(self.trace),
            span_id=self.span_id,
            parent_span_id=self.parent,
            name=self.name,
            kind=self.kind,  # type: ignore[arg-type]  # the stub has its own type for what is a number
            start_time_unix_nano=start,
            end_time_unix_nano=start + round(self.duration_ms * MS),
            attributes=attributes(self.tags),
            events=[Span.Event(time_unix_nano=start, name=n, attributes=attributes(a)) for n, a in self.events],
        )
        made.status.message = self.message
        if self.failed:
            made.status.code = 2  # type: ignore[assignment]  # as above
        return made


def request(*spans: Made) -> ExportTraceServiceRequest:
    """One resource for each span."""
    made = ExportTraceServiceRequest()
    for each in spans:
        group = made.resource_spans.add()
        named = {"service.name": each.service} if each.service is not None else {}
        group.resource.attributes.extend(attributes({**named, **each.resource}))
        scoped = group.scope_spans.add()
        scoped.scope.name, scoped.scope.version = "faultline", "1.2.3"
        scoped.spans.append(each.span())
    return made


def records(*spans: Made) -> list[SpanRecord]:
    return Decoder().decode(request(*spans)).spans


def record(span: Made) -> SpanRecord:
    return records(span)[0]

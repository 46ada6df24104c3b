"""Traces in the JSON of Jaeger's query API, as Jaeger 1.76 answers it for spans that came as OTLP."""

import base64
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, TypedDict

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from observability import semconv
from observability.embedded.attributes import text
from observability.embedded.records import Origin, SpanRecord, Trace

# Beyond it a number loses digits in JavaScript, so Jaeger writes a string.
_MAX_SAFE_INTEGER: Final = 2**53 - 1
_US: Final = 1_000
_LAST_NS: Final = 2**64 - 1

KINDS: Final[Mapping[int, str]] = {
    Span.SPAN_KIND_INTERNAL: "internal",
    Span.SPAN_KIND_SERVER: "server",
    Span.SPAN_KIND_CLIENT: "client",
    Span.SPAN_KIND_PRODUCER: "producer",
    Span.SPAN_KIND_CONSUMER: "consumer",
}


class Tag(TypedDict):
    """`type` is string, bool, int64, float64 or binary (base64)."""

    key: str
    type: str
    value: str | bool | int | float


class Reference(TypedDict):
    """`refType` is CHILD_OF or FOLLOWS_FROM; the ids are hexadecimal, as everywhere."""

    refType: str
    traceID: str
    spanID: str


class Log(TypedDict):
    """`timestamp` is in microseconds."""

    timestamp: int
    fields: list[Tag]


class JaegerSpan(TypedDict):
    """`startTime` (since 1970) and `duration` are in microseconds."""

    traceID: str
    spanID: str
    operationName: str
    references: list[Reference]
    startTime: int
    duration: int
    tags: list[Tag]
    logs: list[Log]
    processID: str
    warnings: list[str] | None


class Process(TypedDict):
    """Who wrote spans: a service, and what its resource says."""

    serviceName: str
    tags: list[Tag]


class JaegerTrace(TypedDict):
    """One element of `data` in the answer of `/api/traces`."""

    traceID: str
    spans: list[JaegerSpan]
    processes: dict[str, Process]
    warnings: None


def trace_json(trace: Trace, *, raw: bool = False) -> JaegerTrace:
    """The trace, spans by start time. `raw` leaves out what Jaeger adjusts: repeated spans, order of tags, warnings."""
    spans = _ordered(trace.spans if raw else dict.fromkeys(trace.spans))
    numbers = _process_numbers(spans)
    known = {span.span_id for span in spans}
    return {
        "traceID": trace_id_text(trace.trace_id),
        "spans": [_span(span, numbers[span.origin.resource], known, raw) for span in spans],
        "processes": {
            numbers[o.resource]: _process(o, raw) for o in {s.origin.resource: s.origin for s in spans}.values()
        },
        "warnings": None,
    }


def trace_id_text(trace_id: bytes) -> str:
    """Hexadecimal; ids of 64 bits keep their 16 digits."""
    digits = trace_id.hex()
    return digits[16:] if digits.startswith("0" * 16) else digits


def _ordered(spans: Iterable[SpanRecord]) -> list[SpanRecord]:
    return sorted(spans, key=lambda span: (span.start_ns, -span.end_ns))


def _process_numbers(spans: Iterable[SpanRecord]) -> dict[bytes, str]:
    resources = dict.fromkeys(span.origin.resource for span in spans)
    return {resource: f"p{number}" for number, resource in enumerate(resources, 1)}


def _process(origin: Origin, raw: bool) -> Process:
    attributes = origin.decoded_resource().attributes
    named = [each for each in attributes if each.key != semconv.SERVICE_NAME]
    return {"serviceName": origin.service, "tags": _tags(named, raw)}


def _span(record: SpanRecord, process_id: str, known: set[bytes], raw: bool) -> JaegerSpan:
    span = record.decoded()
    tags = [*made_tags(span, record.origin.decoded_scope()), *map(_tag, span.attributes)]
    warnings = [*_warnings(record, span, set() if raw else known, raw)]
    return {
        "traceID": trace_id_text(record.trace_id),
        "spanID": record.span_id.hex(),
        "operationName": record.name,
        "references": [*_references(record, span)],
        "startTime": record.start_ns // _US,
        "duration": record.duration_ns // _US,
        "tags": tags if raw else _sorted(tags),
        "logs": [_log(event, raw) for event in span.events],
        "processID": process_id,
        "warnings": warnings or None,
    }


def made_tags(span: Span, scope: InstrumentationScope) -> Iterator[Tag]:
    """Tags that Jaeger makes of what OTLP keeps in fields of its own."""
    yield from _named("otel.scope.name", scope.name)
    yield from _named("otel.scope.version", scope.version)
    yield from _named("span.kind", KINDS.get(span.kind, ""))
    if span.status.code == Status.STATUS_CODE_ERROR:
        yield {"key": "error", "type": "bool", "value": True}
    yield from _named("otel.status_code", {1: "OK", 2: "ERROR"}.get(span.status.code, ""))
    yield from _named("otel.status_description", span.status.message)
    yield from _named("w3c.tracestate", span.trace_state)


def _named(key: str, value: str) -> Iterator[Tag]:
    if value:
        yield {"key": key, "type": "string", "value": value}


def _references(record: SpanRecord, span: Span) -> Iterator[Reference]:
    if record.parent_id:
        yield {"refType": "CHILD_OF", "traceID": trace_id_text(record.trace_id), "spanID": record.parent_id.hex()}
    for link in span.links:
        kind = "CHILD_OF" if _is_parent(link) else "FOLLOWS_FROM"
        yield {"refType": kind, "traceID": trace_id_text(link.trace_id), "spanID": link.span_id.hex()}


def _is_parent(link: Span.Link) -> bool:
    return any(each.key == "opentracing.ref_type" and each.value.string_value == "child_of" for each in link.attributes)


def _log(event: Span.Event, raw: bool) -> Log:
    fields = [*_named("event", event.name), *map(_tag, event.attributes)]
    return {"timestamp": event.time_unix_nano // _US, "fields": fields if raw else _sorted(fields)}


def _tags(attributes: Iterable[KeyValue], raw: bool) -> list[Tag]:
    tags = [_tag(each) for each in attributes]
    return tags if raw else _sorted(tags)


def _sorted(tags: Sequence[Tag]) -> list[Tag]:
    return sorted(tags, key=lambda tag: tag["key"])


def _tag(attribute: KeyValue) -> Tag:
    kind, value = _typed(attribute.value)
    return {"key": attribute.key, "type": kind, "value": value}


def _typed(value: AnyValue) -> tuple[str, str | bool | int | float]:
    kind = value.WhichOneof("value")
    if kind == "bool_value":
        return "bool", value.bool_value
    if kind == "int_value":
        number = value.int_value
        return "int64", number if abs(number) <= _MAX_SAFE_INTEGER else str(number)
    if kind == "double_value":  # JSON has no word for infinity, or for what is not a number
        return "float64", value.double_value if math.isfinite(value.double_value) else str(value.double_value)
    if kind == "bytes_value":
        return "binary", base64.b64encode(value.bytes_value).decode()
    return "string", text(value)


def _warnings(record: SpanRecord, span: Span, known: set[bytes], raw: bool) -> Iterator[str]:
    if ends_too_soon(span):
        yield duration_warning(span)
    if record.parent_id and not raw and record.parent_id not in known:
        yield f"invalid parent span IDs={record.parent_id.hex()}; skipping clock skew adjustment"


def ends_too_soon(span: Span) -> bool:
    """Whether Jaeger lets it end a nanosecond after its start instead, and warns."""
    return span.end_time_unix_nano <= span.start_time_unix_nano


def mended_end_ns(span: Span) -> int:
    """When it ends then; at the last nanosecond that OTLP can say there is none after it."""
    return min(span.start_time_unix_nano + 1, _LAST_NS)


def duration_warning(span: Span) -> str:
    return (
        "Negative duration detected, sanitizing end timestamp. "
        f"Original end timestamp: {_go_time(span.end_time_unix_nano)}, "
        f"adjusted to: {_go_time(mended_end_ns(span))}"
    )


def _go_time(nanoseconds: int) -> str:
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    fraction = f".{rest:09d}".rstrip("0") if rest else ""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}{fraction} +0000 UTC"

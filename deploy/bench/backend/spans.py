"""Export requests such as the services send: traces of a checkout's size, each span with attributes, some with events."""

from random import Random
from typing import Final

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

SERVICES: Final = ("gateway", "orders", "inventory", "payments")
OPERATION: Final = "POST /api/v1/orders"
FIRST_NS: Final = 1_700_000_000_000_000_000
_TRACE_EVERY_NS: Final = 10_000_000


def requests(
    traces: int, spans_per_trace: int, spans_per_request: int, seed: int = 1, first_ns: int = FIRST_NS
) -> list[bytes]:
    """All spans of `traces` traces, the first at `first_ns`, as serialized requests of one service each.

    The same seed gives the same bytes.
    """
    rng = Random(seed)  # noqa: S311  # the same each time; nothing is to be kept secret
    spans = [
        span for number in range(traces) for span in _trace(rng, first_ns + number * _TRACE_EVERY_NS, spans_per_trace)
    ]
    pieces = [spans[at : at + spans_per_request] for at in range(0, len(spans), spans_per_request)]
    return [_request(SERVICES[number % len(SERVICES)], piece) for number, piece in enumerate(pieces)]


def _request(service: str, spans: list[Span]) -> bytes:
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    group.resource.attributes.extend([_text("service.name", service), _text("service.instance.id", f"{service}-1")])
    scoped = group.scope_spans.add()
    scoped.scope.name = "faultline"
    scoped.spans.extend(spans)
    return request.SerializeToString()


def _trace(rng: Random, start: int, size: int) -> list[Span]:
    trace_id = rng.randbytes(16)
    ids = [rng.randbytes(8) for _ in range(size)]
    parents = [b"", *(ids[rng.randrange(at)] for at in range(1, size))]
    return [_span(rng, trace_id, start, *pair) for pair in zip(ids, parents, strict=True)]


def _span(rng: Random, trace_id: bytes, start: int, span_id: bytes, parent_id: bytes) -> Span:
    span = Span(
        trace_id=trace_id, span_id=span_id, parent_span_id=parent_id, name=OPERATION, kind=Span.SPAN_KIND_SERVER
    )
    span.start_time_unix_nano = start + rng.randrange(1_000_000)
    span.end_time_unix_nano = span.start_time_unix_nano + rng.randrange(100_000_000)
    span.attributes.extend(
        [
            _text("http.request.method", "POST"),
            _text("url.path", f"/api/v1/orders/{rng.randrange(10**6)}"),
            _text("url.scheme", "http"),
            _text("server.address", "127.0.0.1"),
            _number("server.port", 8080),
            _text("client.address", "127.0.0.1"),
            _number("client.port", rng.randrange(65_536)),
            _text("network.protocol.version", "1.1"),
            _text("http.route", "/api/v1/orders"),
            _number("http.response.status_code", 201),
        ]
    )
    if rng.random() < 0.1:
        span.events.add(name="faultline.retry", time_unix_nano=start).attributes.append(_number("faultline.attempt", 2))
    return span


def _text(key: str, value: str) -> KeyValue:
    made = KeyValue(key=key)
    made.value.string_value = value
    return made


def _number(key: str, value: int) -> KeyValue:
    made = KeyValue(key=key)
    made.value.int_value = value
    return made

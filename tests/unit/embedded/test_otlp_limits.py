"""More than anybody reads is cut and counted; what is too large all the same is refused."""

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from observability.embedded import otlp_limits as limits
from observability.embedded.otlp import Decoded, Decoder
from tests.unit.embedded.spans import Made, request


def many(count: int) -> list[KeyValue]:
    return [KeyValue(key=f"k{each}", value=AnyValue(int_value=each)) for each in range(count)]


def span_of(sent: ExportTraceServiceRequest) -> Span:
    return sent.resource_spans[0].scope_spans[0].spans[0]


def kept(sent: ExportTraceServiceRequest) -> Span:
    spans, refused, cut = Decoder().decode(sent)
    assert (len(spans), refused, cut) == (1, 0, 1)
    return spans[0].decoded()


def test_a_million_attributes_become_a_thousand() -> None:
    sent = request(Made())
    thousand = Span(attributes=many(1_000)).SerializeToString()
    span_of(sent).MergeFromString(thousand * 1_000)
    span = kept(sent)
    assert (len(span.attributes), span.dropped_attributes_count) == (1_000, 999_000)
    assert span.attributes[0].key == "k0"


def test_events_and_links_and_what_they_hold_are_cut() -> None:
    sent = request(Made())
    span = span_of(sent)
    span.events.extend(Span.Event(name="e") for _ in range(1_500))
    span.links.extend(Span.Link(span_id=b"\1" * 8) for _ in range(1_001))
    span.events[0].attributes.extend(many(1_200))
    span.links[0].attributes.extend(many(1_300))
    span = kept(sent)
    assert (len(span.events), span.dropped_events_count, len(span.links), span.dropped_links_count) == (
        1_000,
        500,
        1_000,
        1,
    )
    assert span.events[0].dropped_attributes_count == 200
    assert span.links[0].dropped_attributes_count == 300


def test_long_texts_are_cut_wherever_they_are() -> None:
    long = "x" * 200_000
    span = kept(
        request(Made(name=long, message=long, tags={long: long, "raw": long.encode()}, events=[(long, {"a": long})]))
    )
    attribute = span.attributes[0]
    texts = [span.name, span.status.message, attribute.key, attribute.value.string_value, span.events[0].name]
    assert {len(text) for text in texts} == {limits.MAX_TEXT}
    assert len(span.attributes[1].value.bytes_value) == limits.MAX_TEXT


def test_who_wrote_it_is_cut_too() -> None:
    sent = request(Made(service="orders"))
    sent.resource_spans[0].resource.attributes.extend(many(1_005))
    sent.resource_spans[0].scope_spans[0].scope.attributes.extend(many(1_005))
    (record,), _, cut = Decoder().decode(sent)
    resource, scope = record.origin.decoded_resource(), record.origin.decoded_scope()
    assert (record.origin.service, cut) == ("orders", 1)
    assert (len(resource.attributes), resource.dropped_attributes_count) == (1_000, 6)
    assert (len(scope.attributes), scope.dropped_attributes_count) == (1_000, 5)


def nested(size: int) -> AnyValue:
    return AnyValue(array_value=ArrayValue(values=[AnyValue(string_value="x" * size)]))


def test_what_is_too_large_all_the_same_is_refused() -> None:
    sent = request(Made(), Made(service="fine"))
    span_of(sent).attributes.append(KeyValue(key="deep", value=nested(limits.MAX_BYTES)))
    spans, refused, _ = Decoder().decode(sent)
    assert ([each.origin.service for each in spans], refused) == (["fine"], 1)


def test_a_resource_that_is_too_large_all_the_same_keeps_its_service() -> None:
    sent = request(Made(service="orders"))
    sent.resource_spans[0].resource.attributes.append(KeyValue(key="deep", value=nested(limits.MAX_BYTES)))
    (record,), _, _ = Decoder().decode(sent)
    assert (record.origin.service, len(record.origin.decoded_resource().attributes)) == ("orders", 0)


@pytest.mark.parametrize(
    "span",
    [
        Made(),
        Made(tags={f"k{each}": each for each in range(1_000)}, message="text" * 1_000),
        Made(events=[("e", {})] * 1_000),
    ],
)
def test_what_is_within_the_limits_stays_as_it_is(span: Made) -> None:
    sent = request(span)
    before = span_of(sent).SerializeToString()
    assert Decoder().decode(sent) == Decoded([*Decoder().decode(request(span)).spans], 0, 0)
    assert span_of(sent).SerializeToString() == before

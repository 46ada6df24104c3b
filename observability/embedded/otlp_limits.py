"""What a span, event, link, resource or scope may hold; what is more is cut, and counted where OTLP has a field for it.

Attributes, events and links are as many as anybody reads, well above the limits of an SDK (128); texts are as long as a
stack trace. What is larger all the same, as by nested values, is for the caller to refuse.
https://opentelemetry.io/docs/specs/otel/common/#attribute-limits
"""

from typing import Any, Final

from google.protobuf.message import Message
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span

MAX_ATTRIBUTES: Final = 1_000
MAX_EVENTS: Final = 1_000
MAX_LINKS: Final = 1_000
MAX_TEXT: Final = 32_768
"""Characters of a name, a key or a value; bytes of a binary one."""

MAX_BYTES: Final = 1 << 20
"""Of a span, a resource or a scope in wire form, after the cut."""

SMALL: Final = 2 * MAX_ATTRIBUTES
"""What has no more bytes in wire form is within every limit: an attribute has two at least."""


def cut_span(span: Span) -> bool:
    """Cuts `span` to the limits; whether there was anything to cut."""
    was = span.ByteSize()
    _cut_texts(span, "name", "trace_state")
    if span.HasField("status"):
        _cut_texts(span.status, "message")
    _cut_attributes(span)
    span.dropped_events_count += _cut_list(span.events, MAX_EVENTS)
    span.dropped_links_count += _cut_list(span.links, MAX_LINKS)
    for event in span.events:
        _cut_texts(event, "name")
        _cut_attributes(event)
    for link in span.links:
        _cut_texts(link, "trace_state")
        _cut_attributes(link)
    return span.ByteSize() != was


def cut_origin(origin: Resource | InstrumentationScope) -> bool:
    """The same of who wrote spans; what is still larger than `MAX_BYTES` loses all its attributes."""
    was = origin.ByteSize()
    if isinstance(origin, InstrumentationScope):
        _cut_texts(origin, "name", "version")
    _cut_attributes(origin)
    if origin.ByteSize() > MAX_BYTES:
        origin.dropped_attributes_count += _cut_list(origin.attributes, 0)
    return origin.ByteSize() != was


def _cut_attributes(holder: Span | Span.Event | Span.Link | Resource | InstrumentationScope) -> None:
    holder.dropped_attributes_count += _cut_list(holder.attributes, MAX_ATTRIBUTES)
    for each in holder.attributes:
        _cut_texts(each, "key")
        if each.HasField("value"):
            _cut_texts(each.value, "string_value", "bytes_value")


def _cut_texts(message: Message, *fields: str) -> None:
    for field in fields:
        if len(value := getattr(message, field)) > MAX_TEXT:
            setattr(message, field, value[:MAX_TEXT])


def _cut_list(items: Any, limit: int) -> int:
    """How many there were beyond `limit`."""
    beyond = max(0, len(items) - limit)
    if beyond:
        del items[limit:]
    return beyond

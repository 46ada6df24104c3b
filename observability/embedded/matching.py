"""Which spans a query means. Pure."""

import re
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from typing import Final

from observability import semconv
from observability.embedded import jaeger_json
from observability.embedded.attributes import texts
from observability.embedded.ports import TraceQuery
from observability.embedded.records import SpanRecord

Predicate = Callable[[SpanRecord], bool]

# Names that Jaeger shows as tags although no attribute on the wire has them.
_MADE_BY_JAEGER: Final = frozenset({"error", "event", "span.kind", "w3c.tracestate"})
_FAULT_NAMES: Final = frozenset({semconv.FAULT_KIND, semconv.FAULT_ID, semconv.EXPERIMENT})
# Text that may stand for a number, a boolean, an array, a map or, as base64, bytes.
_PERHAPS_NO_TEXT: Final = re.compile(
    r"true|false|nan|-?inf|-?[\d.]+(?:e[-+]?\d+)?|[\[{].*"
    r"|(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?",
    re.DOTALL,
)


def predicate(query: TraceQuery) -> Predicate:
    """A test for single spans, the cheap conditions first. The service is left to the store's index."""
    conditions = [*_cheap(query)]
    if query.tags:
        conditions.append(_tags(query))
    if len(conditions) == 1:
        return conditions[0]
    return lambda span: all(condition(span) for condition in conditions)


def tells_of_fault(fault: str) -> Predicate:
    """A test for spans in which a fault was injected: any, or one with this kind, id or experiment."""
    needle = semconv.EVENT_FAULT_INJECTED.encode()
    return lambda span: needle in span.payload and any(not fault or fault in names for names in _faults(span))


def _faults(span: SpanRecord) -> Iterator[list[str]]:
    """What each fault that was injected into `span` goes by."""
    for event in span.decoded().events:
        if event.name == semconv.EVENT_FAULT_INJECTED:
            yield [value for key, value in texts(event.attributes) if key in _FAULT_NAMES]


def _cheap(query: TraceQuery) -> Iterator[Predicate]:
    if (operation := query.operation) is not None:
        yield lambda span: span.name == operation
    if query.failed_only:
        yield lambda span: span.failed
    if (shortest := query.min_duration_ns) is not None:
        yield lambda span: span.duration_ns >= shortest
    if (longest := query.max_duration_ns) is not None:
        yield lambda span: span.duration_ns <= longest
    if (earliest := query.start_min_ns) is not None:
        yield lambda span: span.start_ns >= earliest
    if (latest := query.start_max_ns) is not None:
        yield lambda span: span.start_ns <= latest


def _tags(query: TraceQuery) -> Predicate:
    wanted = set(query.tags.items())
    keys = {key for key, _ in wanted}
    needles = {needle for key, value in wanted if not _made_by_jaeger(key) for needle in _needles(key, value)}
    likely_last = sorted(needles, key=len, reverse=True)

    def matches(span: SpanRecord) -> bool:
        # Decoding is what costs; what is nowhere in the bytes can't be among the attributes.
        return all(_mentions(span, needle) for needle in likely_last) and wanted <= set(_texts(span, keys))

    return matches


def _made_by_jaeger(key: str) -> bool:
    return key in _MADE_BY_JAEGER or key.startswith("otel.")


def _needles(key: str, value: str) -> Iterator[bytes]:
    """Bytes that the wire form of this attribute must contain."""
    yield key.encode()
    if not _PERHAPS_NO_TEXT.fullmatch(value):
        yield value.encode()


def _mentions(span: SpanRecord, needle: bytes) -> bool:
    return needle in span.payload or needle in span.origin.resource or needle in span.origin.scope


def _texts(span: SpanRecord, keys: AbstractSet[str]) -> Iterator[tuple[str, str]]:
    """What `span` has under any of `keys`."""
    decoded, scope = span.decoded(), span.origin.decoded_scope()
    resource = span.origin.decoded_resource().attributes
    for attributes in (resource, scope.attributes, decoded.attributes, *(event.attributes for event in decoded.events)):
        yield from texts(each for each in attributes if each.key in keys)
    for event in decoded.events:
        yield "event", event.name
    for tag in jaeger_json.made_tags(decoded, scope):
        yield tag["key"], "true" if tag["value"] is True else str(tag["value"])

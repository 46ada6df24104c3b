"""Which spans a query means. Pure."""

from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from types import MappingProxyType
from typing import Final

from observability import semconv
from observability.embedded import jaeger_json
from observability.embedded.attributes import texts
from observability.embedded.ports import TraceQuery
from observability.embedded.records import SpanRecord
from observability.embedded.wire_needles import finder, needles

Predicate = Callable[[SpanRecord], bool]

# Names that Jaeger shows as tags of fields that are no text: whether the field of a span may read so.
_MADE_BY_JAEGER: Final[Mapping[str, Callable[[SpanRecord, str], bool]]] = MappingProxyType(
    {
        "error": lambda span, value: span.failed and value == "true",
        "otel.status_code": lambda span, value: value == ("ERROR" if span.failed else "OK"),
        "span.kind": lambda span, value: jaeger_json.KINDS.get(span.kind) == value,
    }
)
_FAULT: Final = semconv.EVENT_FAULT_INJECTED.encode()
_FAULT_NAMES: Final = frozenset({semconv.FAULT_KIND, semconv.FAULT_ID, semconv.EXPERIMENT})


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
    named = fault.encode()
    return lambda span: (
        mentions_fault(span) and named in span.payload and any(not fault or fault in names for names in _faults(span))
    )


def mentions_fault(span: SpanRecord) -> bool:
    """Never false for one that tells of an injected fault, and cheap."""
    return _FAULT in span.payload


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
    may_have = [_may_have(key, value) for key, value in wanted]

    def matches(span: SpanRecord) -> bool:
        for may in may_have:  # decoding is what costs, and a generator here costs as much as asking
            if not may(span):
                return False
        return wanted <= set(_texts(span, keys))

    return matches


def _may_have(key: str, value: str) -> Predicate:
    """Never false for a span that has the tag, and cheap."""
    found, is_made = needles(key, value), _MADE_BY_JAEGER.get(key)
    if found is None:
        return lambda _: True
    holds = finder(found)
    of_origin: dict[int, bool] = {}  # by identity: the spans that are looked at keep their origins alive

    def may(span: SpanRecord) -> bool:
        if holds(span.payload):
            return True
        origin = span.origin
        if (known := of_origin.get(id(origin))) is None:
            known = of_origin[id(origin)] = bool(holds(origin.resource) or holds(origin.scope))
        return known or (is_made is not None and is_made(span, value))

    return may


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

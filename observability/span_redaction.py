"""Spans without secrets: the last look at a span before it leaves the process."""

from collections.abc import Iterator, Mapping, Sequence

from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.trace import Link, Status
from opentelemetry.util.types import AnyValue, Attributes

from observability.redaction import MASK, Redactor, is_secret_name


def redacted(span: ReadableSpan, redactor: Redactor) -> ReadableSpan:
    """The same span if nothing in it looks like a secret, as is nearly always so; else a copy with secrets masked."""
    if not _suspicious(span, redactor):
        return span
    return ReadableSpan(
        name=redactor.text(span.name),
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=_clean(span.attributes, redactor),
        events=[
            Event(redactor.text(event.name), _clean(event.attributes, redactor), event.timestamp)
            for event in span.events
        ],
        links=[Link(link.context, _clean(link.attributes, redactor)) for link in span.links],
        kind=span.kind,
        status=_clean_status(span.status, redactor),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _suspicious(span: ReadableSpan, redactor: Redactor) -> bool:
    """Look at the whole span at once: this runs for every span, and its time is taken from the requests'."""
    groups = list(_attribute_groups(span))
    if any(is_secret_name(name) for group in groups for name in group or ()):
        return True
    texts = [span.name, span.status.description or "", *(event.name for event in span.events)]
    texts += [str(value) for group in groups for value in (group or {}).values() if not isinstance(value, int | float)]
    return redactor.suspects("\n".join(texts))


def _attribute_groups(span: ReadableSpan) -> Iterator[Attributes]:
    yield span.attributes
    for event in span.events:
        yield event.attributes
    for link in span.links:
        yield link.attributes


def _clean(attributes: Mapping[str, AnyValue] | None, redactor: Redactor) -> dict[str, AnyValue]:
    return {
        name: MASK if is_secret_name(name) else _clean_value(value, redactor)
        for name, value in (attributes or {}).items()
    }


def _clean_value(value: AnyValue, redactor: Redactor) -> AnyValue:
    match value:
        case str():
            return redactor.text(value)
        case bytes():
            return redactor.text(value.decode("latin-1")).encode("latin-1")  # the one encoding that loses no byte
        case Mapping():
            return _clean(value, redactor)
        case Sequence():
            return [_clean_value(item, redactor) for item in value]
        case _:
            return value


def _clean_status(status: Status, redactor: Redactor) -> Status:
    return Status(status.status_code, redactor.text(status.description)) if status.description else status

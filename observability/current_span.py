"""Which span is current, as the lower-case hex ids that logs, exemplars and answers carry."""

from typing import NamedTuple

from opentelemetry import trace


class SpanIds(NamedTuple):
    """32 and 16 lower-case hex digits, as W3C Trace Context writes them."""

    trace_id: str
    span_id: str


def span_ids() -> SpanIds | None:
    """The ids of the current span, recorded or not; None outside a trace."""
    context = trace.get_current_span().get_span_context()
    return _ids(context) if context.is_valid else None


def exported_span_ids() -> SpanIds | None:
    """The ids of the current span if it will reach a trace backend, so that a link to it leads somewhere."""
    span = trace.get_current_span()
    if not span.is_recording():
        return None
    context = span.get_span_context()
    return _ids(context) if context.trace_flags.sampled else None


def _ids(context: trace.SpanContext) -> SpanIds:
    return SpanIds(trace.format_trace_id(context.trace_id), trace.format_span_id(context.span_id))

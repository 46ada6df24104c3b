"""The trace in which an order was placed, kept with it as a `traceparent`, for those who carry the order on later.

Format: https://www.w3.org/TR/trace-context/#traceparent-header
"""

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from observability import semconv

_FORMAT = TraceContextTextMapPropagator()


def current() -> str:
    """Where we are now; empty where nothing is traced."""
    carrier: dict[str, str] = {}
    _FORMAT.inject(carrier)
    return carrier.get(semconv.HEADER_TRACEPARENT, "")


def links(origin: str) -> list[Link]:
    """What leads a span to there; nothing for an empty origin."""
    found = _FORMAT.extract({semconv.HEADER_TRACEPARENT: origin}, Context())
    context = trace.get_current_span(found).get_span_context()
    return [Link(context)] if context.is_valid else []

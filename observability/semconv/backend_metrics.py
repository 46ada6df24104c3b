"""The metrics of the trace backend that needs no installation."""

from typing import Final

from observability.semconv.attributes import BACKEND_RESULT
from observability.semconv.metric import Metric

BACKEND_SPANS: Final = Metric(
    "faultline.backend.spans",
    "{span}",
    "counter",
    (BACKEND_RESULT,),
    "Spans received, by what became of them; taken less dropped are the stored ones.",
)
BACKEND_MALFORMED_EXPORTS: Final = Metric(
    "faultline.backend.malformed_exports", "{request}", "counter", (), "Export requests that could not be decoded."
)
BACKEND_STORED_SPANS: Final = Metric(
    "faultline.backend.stored.spans", "{span}", "gauge", (), "Spans that are kept right now."
)
BACKEND_STORED_TRACES: Final = Metric(
    "faultline.backend.stored.traces", "{trace}", "gauge", (), "Traces that are kept right now."
)
BACKEND_STORED_BYTES: Final = Metric(
    "faultline.backend.stored", "By", "gauge", (), "About the memory that kept spans take."
)

BACKEND_FORWARDED_SPANS: Final = Metric(
    "faultline.backend.forward.spans",
    "{span}",
    "counter",
    (BACKEND_RESULT,),
    "Spans that were to be sent on to the next collector, by what became of them; dropped are those it had no room for.",
)
BACKEND_FORWARD_WAITING: Final = Metric(
    "faultline.backend.forward.waiting", "By", "gauge", (), "What waits to be sent on to the next collector."
)
BACKEND_METRICS: Final = tuple(value for value in list(globals().values()) if isinstance(value, Metric))

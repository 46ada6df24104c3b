"""The backend's own metrics, declared as `observability.semconv` declares those of services."""

from typing import Final

from observability.semconv import Metric

RESULT: Final = "faultline.backend.result"

TAKEN: Final = "taken"
REFUSED: Final = "refused"  # ids that are none
DROPPED: Final = "dropped"  # taken once, and forgotten to stay in bounds
RESULTS: Final = (TAKEN, REFUSED, DROPPED)

FORWARDED: Final = "forwarded"
FAILED: Final = "failed"  # the next collector did not take them
FORWARD_RESULTS: Final = (FORWARDED, FAILED, DROPPED)

SPANS: Final = Metric(
    "faultline.backend.spans",
    "{span}",
    "counter",
    (RESULT,),
    "Spans received, by what became of them; taken less dropped are the stored ones.",
)
MALFORMED_EXPORTS: Final = Metric(
    "faultline.backend.malformed_exports", "{request}", "counter", (), "Export requests that could not be decoded."
)
STORED_SPANS: Final = Metric("faultline.backend.stored.spans", "{span}", "gauge", (), "Spans that are kept right now.")
STORED_TRACES: Final = Metric(
    "faultline.backend.stored.traces", "{trace}", "gauge", (), "Traces that are kept right now."
)
STORED_BYTES: Final = Metric("faultline.backend.stored", "By", "gauge", (), "About the memory that kept spans take.")
FORWARDED_SPANS: Final = Metric(
    "faultline.backend.forward.spans",
    "{span}",
    "counter",
    (RESULT,),
    "Spans that were to be sent on to the next collector, by what became of them; dropped are those it had no room for.",
)
FORWARD_WAITING: Final = Metric(
    "faultline.backend.forward.waiting", "By", "gauge", (), "What waits to be sent on to the next collector."
)

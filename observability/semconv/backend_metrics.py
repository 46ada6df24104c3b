"""The metrics of the trace backend that needs no installation."""

from typing import Final

from observability.semconv.attributes import BACKEND_RESULT
from observability.semconv.metric import Metric

BACKEND_SPANS: Final = Metric(
    "faultline.backend.spans",
    "{span}",
    "counter",
    (BACKEND_RESULT,),
    "Spans received, by what became of them; taken and restored less dropped are the stored ones.",
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

BACKEND_CUT_SPANS: Final = Metric(
    "faultline.backend.cut_spans", "{span}", "counter", (), "Spans taken without what was beyond the limits."
)
BACKEND_RESTORED_SPANS: Final = Metric(
    "faultline.backend.restored_spans", "{span}", "counter", (), "Spans read from the file of traces at the start."
)
BACKEND_FILE_BYTES: Final = Metric("faultline.backend.file", "By", "gauge", (), "Size of the file of traces.")
BACKEND_FILE_CUT: Final = Metric(
    "faultline.backend.file.cut", "By", "counter", (), "What could not be read of the file of traces at the start."
)
BACKEND_FILE_LOST: Final = Metric(
    "faultline.backend.file.lost",
    "{request}",
    "counter",
    (),
    "Export requests that were not written to the file of traces.",
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

"""Traces as lines of a list. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from observability import semconv
from observability.embedded import page
from observability.embedded.attributes import texts
from observability.embedded.jaeger_json import trace_id_text
from observability.embedded.records import SpanRecord, Trace

Outcome = Literal["bad", "retry", "fine"]

# Only spans with one of these in their bytes are decoded: decoding all takes longer than finding them.
_RETRY: Final = semconv.EVENT_RETRY.encode()
_NOTABLE: Final = (semconv.EVENT_FAULT_INJECTED.encode(), _RETRY)
_RESENT: Final = semconv.HTTP_REQUEST_RESEND_COUNT.encode()


@dataclass(frozen=True, slots=True)
class Summary:
    """One line. `width` is the duration in percent of the longest; `services`: name, colour, spans.

    `retries` are attempts beyond the first of each call, `faults` the kinds that were injected.
    """

    trace_id: str
    service: str
    operation: str
    start_us: int
    duration_us: int
    width: str
    failed: int
    root_failed: bool
    status: str
    retries: int
    faults: Sequence[str]
    services: Sequence[tuple[str, int, int]]

    @property
    def outcome(self) -> Outcome:
        """`retry` is what went well in the end although not everything in it did."""
        if self.root_failed:
            return "bad"
        return "retry" if self.failed or self.retries else "fine"


def summaries(traces: Sequence[Trace]) -> list[Summary]:
    """In the order given."""
    names = {span.origin.service for trace in traces for span in trace.spans}
    colours = page.colours(names)
    longest = max((trace.end_ns - trace.start_ns for trace in traces), default=0)
    return [_summary(trace, colours, max(longest, 1)) for trace in traces]


def _summary(trace: Trace, colours: Mapping[str, int], longest_ns: int) -> Summary:
    root, duration_ns = trace.root, trace.end_ns - trace.start_ns
    spans = Counter(span.origin.service for span in sorted(trace.spans, key=lambda span: span.start_ns))
    told = Counter(each for span in trace.spans for each in _told(span))
    return Summary(
        trace_id=trace_id_text(trace.trace_id),
        service=root.origin.service,
        operation=root.name,
        start_us=trace.start_ns // 1_000,
        duration_us=duration_ns // 1_000,
        width=f"{100 * duration_ns / longest_ns:.2f}",
        failed=sum(span.failed for span in trace.spans),
        root_failed=root.failed,
        status=dict(texts(root.decoded().attributes)).get(semconv.HTTP_RESPONSE_STATUS_CODE, ""),
        retries=max(told.pop(_RETRY, 0), told.pop(_RESENT, 0)),  # an attempt may be told of in both ways
        faults=sorted(str(each) for each in told),
        services=[(name, colours[name], count) for name, count in spans.items()],
    )


def _told(span: SpanRecord) -> Iterator[str | bytes]:
    """The kind of each fault injected into it, `_RETRY` for each retry that follows in it, `_RESENT` if it is one."""
    if _RESENT in span.payload and any(
        each.key == semconv.HTTP_REQUEST_RESEND_COUNT for each in span.decoded().attributes
    ):
        yield _RESENT
    if not any(needle in span.payload for needle in _NOTABLE):
        return
    for event in span.decoded().events:
        if event.name == semconv.EVENT_RETRY:
            yield _RETRY
        elif event.name == semconv.EVENT_FAULT_INJECTED:
            yield dict(texts(event.attributes)).get(semconv.FAULT_KIND, "") or "fault"

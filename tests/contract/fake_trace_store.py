"""A trace store as simple as can be: one list, scanned for everything. Tests use it; the real one is held to it."""

from collections.abc import Iterable, Sequence

from observability.embedded.attributes import texts
from observability.embedded.ports import Added, Size, TraceQuery
from observability.embedded.records import Operation, SpanRecord, Trace


class FakeTraceStore:
    def __init__(self, max_spans: int) -> None:
        self._max_spans = max_spans
        self._spans: list[SpanRecord] = []

    def add(self, spans: Iterable[SpanRecord]) -> Added:
        taken = dropped = 0
        for span in spans:
            taken += 1
            dropped += self._add(span)
        return Added(taken, dropped)

    def _add(self, span: SpanRecord) -> int:
        before = len(self._spans)
        while len(self._spans) >= self._max_spans:
            others = [each.trace_id for each in self._spans if each.trace_id != span.trace_id]
            if not others:
                return before - len(self._spans) + 1
            self._spans = [each for each in self._spans if each.trace_id != others[0]]
        self._spans.append(span)
        return before + 1 - len(self._spans)

    def size(self) -> Size:
        origins = {each.origin for each in self._spans}
        held = sum(each.size_bytes for each in self._spans) + sum(each.size_bytes for each in origins)
        return Size(len(self._trace_ids()), len(self._spans), held)

    def _trace_ids(self) -> list[bytes]:
        return [*dict.fromkeys(each.trace_id for each in self._spans)]

    def services(self) -> Sequence[str]:
        return sorted({each.origin.service for each in self._spans})

    def operations(self, service: str) -> Sequence[Operation]:
        return sorted({Operation(each.name, each.kind) for each in self._spans if each.origin.service == service})

    def get(self, trace_id: bytes) -> Trace | None:
        spans = tuple(each for each in self._spans if each.trace_id == trace_id)
        return Trace(trace_id, spans) if spans else None

    def find(self, query: TraceQuery) -> Sequence[Trace]:
        matching = [each.trace_id for each in self._spans if _matches(query, each)]
        touched = [each.trace_id for each in self._spans if query.fault is None or _is_touched(query.fault, each)]
        found = [each for each in reversed(self._trace_ids()) if each in matching and each in touched]
        return [trace for each in found[: query.limit] if (trace := self.get(each))]


def _matches(query: TraceQuery, span: SpanRecord) -> bool:
    return (
        query.service in (None, span.origin.service)
        and query.operation in (None, span.name)
        and (span.failed or not query.failed_only)
        and (query.min_duration_ns is None or span.duration_ns >= query.min_duration_ns)
        and (query.max_duration_ns is None or span.duration_ns <= query.max_duration_ns)
        and (query.start_min_ns is None or span.start_ns >= query.start_min_ns)
        and (query.start_max_ns is None or span.start_ns <= query.start_max_ns)
        and query.tags.items() <= _tags(span)
    )


def _is_touched(fault: str, span: SpanRecord) -> bool:
    faults = [dict(texts(each.attributes)) for each in span.decoded().events if each.name == "faultline.fault.injected"]
    return any(fault in ("", *told.values()) for told in faults)


def _tags(span: SpanRecord) -> set[tuple[str, str]]:
    decoded, scope = span.decoded(), span.origin.decoded_scope()
    tags = {*texts(decoded.attributes), *texts(span.origin.decoded_resource().attributes), *texts(scope.attributes)}
    tags |= {("otel.scope.name", scope.name), ("otel.scope.version", scope.version)}
    for event in decoded.events:
        tags |= {("event", event.name), *texts(event.attributes)}
    if span.failed:
        tags |= {("error", "true"), ("otel.status_code", "ERROR"), ("otel.status_description", decoded.status.message)}
    kinds = {1: "internal", 2: "server", 3: "client", 4: "producer", 5: "consumer"}
    return tags | {("span.kind", kinds.get(span.kind, ""))}

"""The newest traces in memory, indexed by service. For one thread: the event loop's."""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from observability.embedded.matching import Predicate, mentions_fault, predicate, tells_of_fault
from observability.embedded.ports import Added, Size, TraceQuery
from observability.embedded.records import Operation, Origin, SpanRecord, Trace

_DROPPED_KNOWN: Final = 20_000
"""Ids of dropped traces that are known, the newest: two megabytes."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """The most that is kept. Both hold at all times; each must be above 0."""

    max_spans: int
    max_bytes: int

    def __post_init__(self) -> None:
        if self.max_spans < 1 or self.max_bytes < 1:
            raise ValueError(f"bounds must be above 0, not {self.max_spans} spans and {self.max_bytes} bytes")


@dataclass(slots=True)
class _Entry:
    """One trace as it grows. Its spans are kept by service, so that a search reads only those it asks about."""

    number: int  # grows with each trace that begins to arrive
    by_service: dict[str, list[SpanRecord]] = field(default_factory=dict)
    first_start_ns: int = sys.maxsize
    last_start_ns: int = 0
    longest_ns: int = 0
    failed: bool = False
    faulted: bool = False  # perhaps: it mentions one

    def add(self, span: SpanRecord) -> None:
        self.by_service.setdefault(span.origin.service, []).append(span)
        self.first_start_ns = min(self.first_start_ns, span.start_ns)
        self.last_start_ns = max(self.last_start_ns, span.start_ns)
        self.longest_ns = max(self.longest_ns, span.duration_ns)
        self.failed = self.failed or span.failed
        self.faulted = self.faulted or mentions_fault(span)

    def spans(self) -> Iterator[SpanRecord]:
        return (span for spans in self.by_service.values() for span in spans)

    def can_match(self, query: TraceQuery) -> bool:
        """False only if no span in it can; spares looking at each."""
        return not (
            (query.failed_only and not self.failed)
            or (query.fault is not None and not self.faulted)
            or (query.min_duration_ns is not None and self.longest_ns < query.min_duration_ns)
            or (query.start_min_ns is not None and self.last_start_ns < query.start_min_ns)
            or (query.start_max_ns is not None and self.first_start_ns > query.start_max_ns)
        )


class MemoryTraceStore:
    """A `TraceStore` that forgets whole traces, in the order in which they began to arrive."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds: Final = bounds
        self._entries: dict[bytes, _Entry] = {}  # in order of arrival, as all the dictionaries here
        self._of_service: dict[str, dict[bytes, None]] = {}
        self._operations: dict[str, Counter[Operation]] = {}
        self._spans_of = Counter[Origin]()
        self._dropped: dict[bytes, None] = {}
        self._begun = 0
        self._spans = 0
        self._bytes = 0

    # --- the sink ---

    def add(self, spans: Iterable[SpanRecord]) -> Added:
        taken = dropped = 0
        for span in spans:
            taken += 1
            dropped += self._make_room(span)
            if self._fits(span):
                self._insert(span)
            else:
                dropped += 1
        return Added(taken, dropped)

    def size(self) -> Size:
        return Size(len(self._entries), self._spans, self._bytes)

    def _fits(self, span: SpanRecord) -> bool:
        return self._spans < self.bounds.max_spans and self._bytes + self._cost(span) <= self.bounds.max_bytes

    def _cost(self, span: SpanRecord) -> int:
        """What `span` adds: an origin is kept once, for its first span."""
        return span.size_bytes if span.origin in self._spans_of else span.size_bytes + span.origin.size_bytes

    def _make_room(self, span: SpanRecord) -> int:
        """Drops old traces until `span` fits or only its own trace is left; returns the number of spans dropped."""
        dropped = 0
        while not self._fits(span):
            victim = next((each for each in islice(self._entries, 2) if each != span.trace_id), None)
            if victim is None:
                break
            dropped += self._evict(victim)
        return dropped

    def _insert(self, span: SpanRecord) -> None:
        service = span.origin.service
        entry = self._entries.get(span.trace_id) or self._begin(span.trace_id)
        entry.add(span)
        self._of_service.setdefault(service, {})[span.trace_id] = None
        self._operations.setdefault(service, Counter())[Operation(span.name, span.kind)] += 1
        self._bytes += self._cost(span)
        self._spans_of[span.origin] += 1
        self._spans += 1

    def _begin(self, trace_id: bytes) -> _Entry:
        self._begun += 1
        entry = self._entries[trace_id] = _Entry(self._begun)
        return entry

    def _evict(self, trace_id: bytes) -> int:
        spans = [*self._entries.pop(trace_id).spans()]
        for span in spans:
            self._forget(span)
        self._spans -= len(spans)
        self._remember(trace_id)
        return len(spans)

    def _remember(self, trace_id: bytes) -> None:
        self._dropped.pop(trace_id, None)
        self._dropped[trace_id] = None
        if len(self._dropped) > _DROPPED_KNOWN:
            del self._dropped[next(iter(self._dropped))]

    def _forget(self, span: SpanRecord) -> None:
        self._spans_of[span.origin] -= 1
        if not self._spans_of[span.origin]:
            del self._spans_of[span.origin]
        self._bytes -= self._cost(span)
        service, operation = span.origin.service, Operation(span.name, span.kind)
        operations = self._operations[service]
        operations[operation] -= 1
        if not operations[operation]:
            del operations[operation]
        self._of_service[service].pop(span.trace_id, None)
        if not operations:
            del self._operations[service], self._of_service[service]

    # --- the source ---

    def services(self) -> Sequence[str]:
        return sorted(self._of_service)

    def operations(self, service: str) -> Sequence[Operation]:
        return sorted(self._operations.get(service, ()))

    def get(self, trace_id: bytes) -> Trace | None:
        entry = self._entries.get(trace_id)
        return Trace(trace_id, tuple(entry.spans())) if entry else None

    def was_dropped(self, trace_id: bytes) -> bool:
        """Whether it made room for others, as far as that is still known."""
        return trace_id in self._dropped

    def find(self, query: TraceQuery) -> Sequence[Trace]:
        matching = self._matching(query, predicate(query))
        return [Trace(trace_id, tuple(self._entries[trace_id].spans())) for trace_id in islice(matching, query.limit)]

    def _newest_first(self, service: str | None) -> Iterable[bytes]:
        if service is None:
            return reversed(self._entries)
        # A service may join a trace late: its own order is not that in which the traces began to arrive.
        return sorted(self._of_service.get(service, ()), key=lambda each: self._entries[each].number, reverse=True)

    def _matching(self, query: TraceQuery, matches: Predicate) -> Iterator[bytes]:
        is_touched = None if query.fault is None else tells_of_fault(query.fault)
        for trace_id in self._newest_first(query.service):
            entry = self._entries[trace_id]
            candidates = entry.spans() if query.service is None else entry.by_service[query.service]
            if (
                entry.can_match(query)
                and any(matches(span) for span in candidates)
                and (is_touched is None or any(is_touched(span) for span in entry.spans()))
            ):
                yield trace_id

"""What the two sides of the backend need of a trace store."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from observability.embedded.records import Operation, SpanRecord, Trace


class Added(NamedTuple):
    """What became of one batch, in spans: how many were `taken`, and how many were `dropped` to stay in bounds.

    The dropped ones may be older ones, so `dropped` can exceed `taken`.
    """

    taken: int
    dropped: int


class Size(NamedTuple):
    """What a store holds; `bytes` is an estimate."""

    traces: int
    spans: int
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceQuery:
    """Asks for traces in which one span fulfils every condition that is given.

    `tags`: each must equal the text of an attribute of the span, its resource, its scope or one of its events; the
    names `error`, `span.kind` and `otel.*` stand for what Jaeger shows under them. `fault` alone may be fulfilled by
    another span of the trace, as a fault shows where it was injected and an error where it was felt: one that tells of
    an injected fault, of any if it is empty, else of one with this kind, id or experiment. Times are nanoseconds,
    bounds inclusive. `limit` is the most traces to return, at least 1.
    """

    limit: int
    service: str | None = None
    operation: str | None = None
    failed_only: bool = False
    fault: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    min_duration_ns: int | None = None
    max_duration_ns: int | None = None
    start_min_ns: int | None = None
    start_max_ns: int | None = None


class TraceSink(Protocol):
    """What receivers need."""

    def add(self, spans: Iterable[SpanRecord]) -> Added:
        """Keeps the spans, dropping whole traces, the longest known first, where there is no room."""

    def size(self) -> Size: ...


class TraceSource(Protocol):
    """What the query APIs and the pages need. None of it scans spans of services that were not asked for."""

    def services(self) -> Sequence[str]:
        """Names of services with at least one span, sorted."""

    def operations(self, service: str) -> Sequence[Operation]:
        """What `service` does, sorted by name; empty if the service is unknown."""

    def get(self, trace_id: bytes) -> Trace | None:
        """The trace with this id of 16 bytes, or None if it was never here or is gone."""

    def find(self, query: TraceQuery) -> Sequence[Trace]:
        """Matching traces, those that began to arrive last first."""


class TraceStore(TraceSink, TraceSource, Protocol):
    """Both sides: what a store implements."""

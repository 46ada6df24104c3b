"""Who calls whom, counted from traces. Pure."""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from observability.embedded.records import Trace


class Dependency(NamedTuple):
    """Spans of `child` whose parent is one of `parent`: services, which may be the same."""

    parent: str
    child: str
    call_count: int


def dependencies(traces: Iterable[Trace]) -> list[Dependency]:
    """Each pair that occurs, sorted; a span whose parent never arrived has none."""
    pairs = Counter(pair for trace in traces for pair in _pairs(trace))
    return [Dependency(*pair, count) for pair, count in sorted(pairs.items())]


def _pairs(trace: Trace) -> Iterable[tuple[str, str]]:
    service_of = {span.span_id: span.origin.service for span in trace.spans}
    for span in trace.spans:
        if parent := service_of.get(span.parent_id):
            yield parent, span.origin.service

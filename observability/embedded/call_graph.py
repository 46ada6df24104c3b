"""Who calls whom in what is kept, with rates: the services, what they call that keeps no spans, and the calls. Pure.

A call between services is a span whose parent is another service's. What keeps no spans of its own, as a database, is
named by the outermost span that calls it: by `faultline.callee`, or else by its database system. What a service does
without having been asked, such as opening a database, is no call.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from observability import semconv
from observability.embedded.attributes import texts
from observability.embedded.records import Origin, SpanRecord, Trace

_NAMES = (semconv.CALLEE, semconv.DB_SYSTEM_NAME)
_NEEDLES = tuple(name.encode() for name in _NAMES)
_QUANTILES = (0.5, 0.95)


@dataclass(frozen=True, slots=True)
class Call:
    """All calls from one to another. Durations in microseconds: the callee's spans, or its callers' where it has none."""

    caller: str
    callee: str
    count: int
    failed: int
    p50_us: int
    p95_us: int

    @property
    def failed_share(self) -> float:
        return self.failed / self.count


@dataclass(frozen=True, slots=True)
class Graph:
    """`services`, and the `others` that they call, by name; all happened within `window_s` seconds, 1 at least."""

    services: tuple[str, ...]
    others: tuple[str, ...]
    calls: tuple[Call, ...]
    traces: int
    window_s: float

    def per_second(self, call: Call) -> float:
        return call.count / self.window_s


@dataclass(slots=True)
class _Seen:
    durations_ns: list[int] = field(default_factory=list)
    failed: int = 0

    def add(self, span: SpanRecord) -> None:
        self.durations_ns.append(span.duration_ns)
        self.failed += span.failed


def call_graph(traces: Sequence[Trace]) -> Graph:
    """Of everything in these traces."""
    services = {span.origin.service for trace in traces for span in trace.spans}
    seen, callees = defaultdict[tuple[str, str], _Seen](_Seen), _Callees(services)
    for trace in traces:
        for caller, callee, span in _calls(trace, callees):
            seen[caller, callee].add(span)
    begun, ended = min((t.start_ns for t in traces), default=0), max((t.end_ns for t in traces), default=0)
    return Graph(
        services=tuple(sorted(services)),
        others=tuple(sorted({callee for _, callee in seen} - services)),
        calls=tuple(_call(*pair, seen[pair]) for pair in sorted(seen)),
        traces=len(traces),
        window_s=max(1.0, (ended - begun) / 1e9),
    )


def _calls(trace: Trace, callees: "_Callees") -> Iterator[tuple[str, str, SpanRecord]]:
    spans = {span.span_id: span for span in trace.spans}
    for span in trace.spans:
        parent = spans.get(span.parent_id)
        if parent is not None and parent.origin.service != span.origin.service:
            yield parent.origin.service, span.origin.service, span
        elif parent is not None and (callee := callees.of(span)) and not callees.of(parent):
            yield span.origin.service, callee, span


class _Callees:
    """Reads who is called from spans, once for each name that a service gives to spans."""

    def __init__(self, services: AbstractSet[str]) -> None:
        self._services = services
        self._known: dict[tuple[Origin, str], str] = {}

    def of(self, span: SpanRecord) -> str:
        """Who is called that keeps no spans; empty if nobody is."""
        if not any(needle in span.payload for needle in _NEEDLES):
            return ""
        place = span.origin, span.name
        if place not in self._known:
            self._known[place] = self._read(span)
        return self._known[place]

    def _read(self, span: SpanRecord) -> str:
        named = dict(texts(each for each in span.decoded().attributes if each.key in _NAMES))
        callee = next((named[name] for name in _NAMES if name in named), "")
        return "" if callee in self._services else callee


def _call(caller: str, callee: str, seen: _Seen) -> Call:
    ordered = sorted(seen.durations_ns)
    p50, p95 = (ordered[min(len(ordered) - 1, int(share * len(ordered)))] // 1_000 for share in _QUANTILES)
    return Call(caller, callee, len(ordered), seen.failed, p50, p95)


def layers(graph: Graph) -> list[list[str]]:
    """The nodes by their distance from who is called by nobody, so that calls lead on; those in a circle come last."""
    nodes = [*graph.services, *graph.others]
    callers: Mapping[str, set[str]] = {
        node: {c.caller for c in graph.calls if c.callee == node} - {node} for node in nodes
    }
    placed, result = dict[str, int](), list[list[str]]()
    while waiting := [node for node in nodes if node not in placed]:
        layer = [node for node in waiting if callers[node] <= placed.keys()] or _least_called(waiting, callers, placed)
        placed.update(dict.fromkeys(layer, len(result)))
        result.append(layer)
    return [_by_callers(layer, callers, result[:depth]) for depth, layer in enumerate(result)]


def _least_called(waiting: Sequence[str], callers: Mapping[str, set[str]], placed: Iterable[str]) -> list[str]:
    return [min(waiting, key=lambda node: len(callers[node] - set(placed)))]


def _by_callers(layer: Sequence[str], callers: Mapping[str, set[str]], above: Sequence[Sequence[str]]) -> list[str]:
    """In the order of their callers, so that few lines cross."""
    places = {node: place for each in above for place, node in enumerate(each)}

    def middle(node: str) -> float:
        of = [places[caller] for caller in callers[node] if caller in places]
        return sum(of) / len(of) if of else 0.0

    return sorted(layer, key=lambda node: (middle(node), node))

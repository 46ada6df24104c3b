"""A trace as rows of a waterfall, for a page or a terminal. Pure; works on any trace in Jaeger's JSON.

Rows are in reading order: each span before its children, children by start. Attempts of a call stay children of their
logical call, which knows them all; a call whose first attempt was its only one is folded into one row, since there is
nothing to tell. Attempts without a call get one, made of them. Broken traces give rows all the same: a span whose parent is missing becomes a root, so does one of a
cycle.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from opentelemetry.semconv.attributes.db_attributes import DB_QUERY_TEXT

from observability.embedded import sibling_attempts, span_tags

JsonObject = Mapping[str, Any]
"""Decoded JSON."""

Text = tuple[str, str]
"""A key and a value, both as text."""

_SERVING: Final = ("server", "consumer")


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened at `at_us` (microseconds since the trace began, may be negative)."""

    name: str
    at_us: int
    fields: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt of a logical call, `waited_us` after the one before it ended."""

    number: int
    start_us: int
    duration_us: int
    waited_us: int
    error: bool
    status_text: str


@dataclass(frozen=True, slots=True)
class Row:
    """One span. Times are microseconds, `start_us` since the trace began; `kind` is Jaeger's word or empty.

    `status_text` says how it ended as far as its tags tell; `attempt` is its number from 1 if it is one of a call's.
    `attempts` are those of a logical call; `folded` is the only attempt if it has no row of its own. `below` counts the
    rows of its descendants. `made` is a call that has no span. `links` are (trace id, span id). `parent_id` may name a
    span that is missing (`orphan`).
    """

    span_id: str
    parent_id: str | None
    depth: int
    service: str
    operation: str
    kind: str
    start_us: int
    duration_us: int
    error: bool
    status_text: str
    attempt: int | None
    tags: tuple[Text, ...]
    events: tuple[Event, ...]
    process: tuple[Text, ...] = ()
    links: tuple[Text, ...] = ()
    warnings: tuple[str, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    folded: "Row | None" = None
    orphan: bool = False
    made: bool = False
    below: int = 0

    @property
    def end_us(self) -> int:
        return self.start_us + self.duration_us

    @property
    def retried(self) -> bool:
        """Whether it is a call that took more than one attempt."""
        return len(self.attempts) > 1

    @property
    def is_fine_statement(self) -> bool:
        """Whether it is an SQL statement that went well."""
        return not self.error and self.below == 0 and any(key == DB_QUERY_TEXT for key, _ in self.tags)


@dataclass(frozen=True, slots=True)
class Waterfall:
    """A whole trace. `start_us` is since 1970; `services` in the order of the rows; at least one row."""

    trace_id: str
    start_us: int
    duration_us: int
    services: tuple[str, ...]
    rows: tuple[Row, ...]
    spans: int

    @property
    def root(self) -> Row:
        """What it all began with, as far as it has arrived."""
        return next((row for row in self.rows if row.parent_id is None), self.rows[0])

    @property
    def errors(self) -> int:
        """Rows that failed."""
        return sum(row.error for row in self.rows)

    @property
    def retries(self) -> int:
        """Attempts beyond the first of each call."""
        return sum(len(row.attempts) - 1 for row in self.rows if row.retried)


def build(jaeger_trace: JsonObject) -> Waterfall:
    """`jaeger_trace` is one element of `data` in Jaeger's answer. Raises ValueError if it has no spans."""
    spans: Sequence[JsonObject] = jaeger_trace["spans"]
    if not spans:
        raise ValueError(f"trace {jaeger_trace['traceID']} has no spans")
    start = min(span["startTime"] for span in spans)
    end = max(span["startTime"] + span["duration"] for span in spans)
    rows = _with_below([*_Builder(jaeger_trace, start).rows()])
    services = tuple(dict.fromkeys(row.service for row in rows))
    return Waterfall(jaeger_trace["traceID"], start, end - start, services, rows, len(spans))


def _with_below(rows: Sequence[Row]) -> tuple[Row, ...]:
    """Counts descendants: the rows up to the next one that is not deeper."""
    below, open_rows = [0] * len(rows), list[int]()
    for index, row in enumerate(rows):
        while open_rows and rows[open_rows[-1]].depth >= row.depth:
            done = open_rows.pop()
            below[done] = index - done - 1
        open_rows.append(index)
    for done in open_rows:
        below[done] = len(rows) - done - 1
    return tuple(replace(row, below=count) for row, count in zip(rows, below, strict=True))


class _Builder:
    """Spans are known by their index: ids may repeat in what others send."""

    def __init__(self, jaeger_trace: JsonObject, start: int) -> None:
        self._spans: list[JsonObject] = [*jaeger_trace["spans"]]
        self._sent = len(self._spans)
        self._processes: JsonObject = jaeger_trace.get("processes") or {}
        self._start = start
        self._tags = [span_tags.texts(span.get("tags")) for span in self._spans]
        self._numbers = [span_tags.attempt_number(tags) for tags in self._tags]
        self._of_id = {span["spanID"]: index for index, span in reversed([*enumerate(self._spans)])}
        self._call_of = dict[int, int]()
        for run in [*self._runs(self._grouped())]:
            self._add_call(run)
        self._children = self._grouped()

    def _grouped(self) -> Mapping[int | None, list[int]]:
        children = defaultdict[int | None, list[int]](list)
        for index in sorted(range(len(self._spans)), key=self._begun):
            children[self._parent(index)].append(index)
        return children

    def _runs(self, children: Mapping[int | None, list[int]]) -> Iterator[list[int]]:
        """Attempts that have no call but stand below what serves."""
        for parent, siblings in children.items():
            if parent is not None and self._tags[parent].get("span.kind") in _SERVING:
                yield from sibling_attempts.runs(self._spans, siblings, self._numbers)

    def _add_call(self, run: Sequence[int]) -> None:
        self._call_of |= dict.fromkeys(run, len(self._spans))
        self._spans.append(sibling_attempts.call(self._spans, run))
        self._tags.append(span_tags.texts(self._spans[-1]["tags"]))
        self._numbers.append(None)
        self._numbers[run[0]] = 1

    def _begun(self, index: int) -> tuple[int, int]:
        span = self._spans[index]
        return span["startTime"], -span["duration"]

    def _parent(self, index: int) -> int | None:
        if index in self._call_of:
            return self._call_of[index]
        parent = self._of_id.get(_parent_id(self._spans[index]) or "")
        return None if parent == index else parent

    def rows(self) -> Iterator[Row]:
        seen = set[int]()
        yield from self._tree(self._children[None], seen)
        # What no root leads to hangs together in a circle: begin with its earliest span.
        for index in sorted(range(len(self._spans)), key=self._begun):
            yield from self._tree([index], seen)

    def _tree(self, roots: Sequence[int], seen: set[int]) -> Iterator[Row]:
        """Depth first without recursion: traces may be deeper than Python's stack."""
        waiting = [(index, 0) for index in reversed(roots)]
        while waiting:
            index, depth = waiting.pop()
            if index in seen:
                continue
            only = self._only_attempt(index)
            seen.update({index} if only is None else {index, only})
            yield self._call(index, depth) if only is None else _folded(self._row(index, depth), self._row(only, depth))
            below = self._children.get(index if only is None else only, ())
            waiting += [(child, depth + 1) for child in reversed(below)]

    def _only_attempt(self, index: int) -> int | None:
        """The attempt of a call that was content with its first one and did nothing else."""
        children = self._children.get(index, [])
        return children[0] if len(children) == 1 and self._attempts_of(index) == [1] else None

    def _attempts_of(self, index: int) -> list[int]:
        """Numbers of the attempts that are children; none if the span itself can't be a call."""
        if self._numbers[index] or self._tags[index].get("span.kind") in _SERVING:
            return []
        return [number for child in self._children.get(index, ()) if (number := self._numbers[child])]

    def _call(self, index: int, depth: int) -> Row:
        row = self._row(index, depth)
        if not self._attempts_of(index):
            return row
        children = [self._row(child, depth + 1) for child in self._children[index]]
        return replace(row, attempts=tuple(_attempts(child for child in children if child.attempt)))

    def _row(self, index: int, depth: int) -> Row:
        span, tags = self._spans[index], self._tags[index]
        process: JsonObject = self._processes.get(span.get("processID", ""), {})
        parent_id = _parent_id(span)
        return Row(
            span_id=span["spanID"],
            parent_id=parent_id,
            depth=depth,
            service=process.get("serviceName", "?"),
            operation=span["operationName"],
            kind=tags.get("span.kind", ""),
            start_us=span["startTime"] - self._start,
            duration_us=span["duration"],
            error=span_tags.failed(tags),
            status_text=span_tags.status_text(tags),
            attempt=self._numbers[index],
            tags=tuple(tags.items()),
            events=tuple(self._events(span)),
            process=tuple(span_tags.texts(process.get("tags")).items()),
            links=tuple((each["traceID"], each["spanID"]) for each in _links(span)),
            warnings=tuple(span.get("warnings") or ()),
            made=index >= self._sent,
            orphan=parent_id is not None and parent_id not in self._of_id,
        )

    def _events(self, span: JsonObject) -> Iterator[Event]:
        for log in sorted(span.get("logs") or (), key=lambda each: each["timestamp"]):
            fields = span_tags.texts(log.get("fields"))
            name = fields.pop("event", "") or fields.pop("message", "") or "event"
            yield Event(name, log["timestamp"] - self._start, tuple(fields.items()))


def _folded(call: Row, attempt: Row) -> Row:
    error = call.error or attempt.error
    return replace(call, folded=attempt, error=error, status_text=call.status_text or attempt.status_text)


def _attempts(rows: Iterable[Row]) -> Iterator[Attempt]:
    ended = None
    for row in rows:
        waited = 0 if ended is None else max(0, row.start_us - ended)
        ended = row.end_us
        yield Attempt(row.attempt or 0, row.start_us, row.duration_us, waited, row.error, row.status_text)


def _parent_id(span: JsonObject) -> str | None:
    """The first parent in the same trace; older Jaegers give it as a field."""
    for each in span.get("references") or ():
        if each["refType"] == "CHILD_OF" and each["traceID"] == span["traceID"]:
            return str(each["spanID"])
    return span.get("parentSpanID") or None


def _links(span: JsonObject) -> Iterator[JsonObject]:
    parent = _parent_id(span)
    return (each for each in span.get("references") or () if each["spanID"] != parent)

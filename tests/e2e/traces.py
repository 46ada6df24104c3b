"""Traces as the query API tells them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.e2e.http_api import Api
from tests.waiting import eventually


@dataclass(frozen=True)
class Span:
    """One span; `parent_id` is empty for a root, `kind` is `server`, `client`, `internal`, ..."""

    span_id: str
    parent_id: str
    service: str
    operation: str
    tags: Mapping[str, Any]
    events: tuple[Mapping[str, Any], ...]

    @property
    def kind(self) -> str:
        return str(self.tags.get("span.kind", "internal"))


@dataclass(frozen=True)
class Trace:
    """`spans` by the time of their start."""

    trace_id: str
    spans: tuple[Span, ...]

    @property
    def roots(self) -> list[Span]:
        return [span for span in self.spans if not span.parent_id]

    @property
    def orphans(self) -> list[Span]:
        """Spans whose parent is not in the trace."""
        known = {span.span_id for span in self.spans}
        return [span for span in self.spans if span.parent_id and span.parent_id not in known]

    @property
    def services(self) -> set[str]:
        return {span.service for span in self.spans}

    def children(self, parent: Span) -> Iterator[Span]:
        return (span for span in self.spans if span.parent_id == parent.span_id)

    def parent(self, child: Span) -> Span:
        return next(span for span in self.spans if span.span_id == child.parent_id)


class Traces:
    """The query API at `url`."""

    def __init__(self, url: str) -> None:
        self._api = Api(url)

    def services(self) -> set[str]:
        return set(self._api.get("/api/services").json()["data"])

    def whole(self, trace_id: str, *services: str) -> Trace:
        """The trace, once it has one root, no orphan and spans of all `services`; spans arrive in batches."""

        def check() -> Trace:
            trace = self.now(trace_id)
            assert len(trace.roots) == 1, f"{trace_id} has roots {trace.roots}"
            assert not trace.orphans, f"{trace_id} is broken at {trace.orphans}"
            assert trace.services >= set(services), f"{trace_id} has spans of {trace.services} only"
            return trace

        return eventually(check, within=15.0)

    def now(self, trace_id: str) -> Trace:
        """What has arrived of the trace. Raises AssertionError when nothing has."""
        answer = self._api.get(f"/api/traces/{trace_id}")
        assert answer.status == 200, f"{trace_id}: {answer.status} {answer.body!r}"
        (data,) = answer.json()["data"]
        spans = sorted(data["spans"], key=lambda each: each["startTime"])
        return Trace(trace_id, tuple(_span(each, data["processes"]) for each in spans))

    def raw(self, service: str, limit: int = 1500) -> bytes:
        """All traces of a service as they are answered."""
        return self._api.get(f"/api/traces?service={service}&limit={limit}&lookback=1h").body


def _span(span: Mapping[str, Any], processes: Mapping[str, Any]) -> Span:
    parents = [each["spanID"] for each in span["references"] if each["refType"] == "CHILD_OF"]
    return Span(
        span_id=span["spanID"],
        parent_id=parents[0] if parents else "",
        service=processes[span["processID"]]["serviceName"],
        operation=span["operationName"],
        tags=_tags(span["tags"]),
        events=tuple(_tags(log["fields"]) for log in span["logs"]),
    )


def _tags(tags: list[Mapping[str, Any]]) -> dict[str, Any]:
    return {tag["key"]: tag["value"] for tag in tags}

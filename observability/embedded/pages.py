"""The pages over HTTP: the list of traces, one trace as a waterfall, and what is said when there is none."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from observability import semconv
from observability.embedded import jaeger_params as params
from observability.embedded import page
from observability.embedded.attributes import texts
from observability.embedded.jaeger_json import trace_id_text, trace_json
from observability.embedded.jaeger_params import BadParameterError
from observability.embedded.ports import Size, TraceQuery, TraceSource
from observability.embedded.records import Trace

_LIMITS: Final = range(1, 501)

_HEADERS: Final = {
    # The pages are text from other processes: even if some markup got through, nothing may run or be loaded.
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}


class PageSource(TraceSource, Protocol):
    """What the pages read: traces, and how many there are."""

    def size(self) -> Size: ...


def routes(source: PageSource) -> list[BaseRoute]:
    """`/` and `/search`: the list; `/trace/<id>`: one trace."""
    pages = _Pages(source)
    return [
        Route("/", pages.search),
        Route("/search", pages.search),
        Route("/trace/{trace_id:path}", pages.trace),
    ]


def _html(body: str, status: int = 200) -> Response:
    return HTMLResponse(body, status, headers=_HEADERS)


class _Pages:
    def __init__(self, source: PageSource) -> None:
        self._source = source

    async def trace(self, request: Request) -> Response:
        digits = request.path_params["trace_id"]
        try:
            found = self._source.get(params.trace_id(digits))
        except BadParameterError as exc:
            return _html(
                page.render("message.html", title="This is no trace id", paragraphs=[str(exc)], detail=""), 400
            )
        if found is None:
            return _html(
                page.render(
                    "message.html", title="This trace is not here", paragraphs=[_ON_ITS_WAY, _FORGOTTEN], detail=digits
                ),
                404,
            )
        return _html(await asyncio.to_thread(lambda: page.render_trace(trace_json(found), online=True)))

    async def search(self, request: Request) -> Response:
        asked, oops = Asked.of(request.query_params), ""
        try:
            found = self._source.find(asked.query())
        except BadParameterError as exc:
            found, oops = [], str(exc)
        html = page.render(
            "search.html",
            asked=asked,
            oops=oops,
            found=_summaries(sorted(found, key=lambda trace: -trace.start_ns)),
            services=self._source.services(),
            operations=self._operations(asked.service),
            size=self._source.size(),
        )
        return _html(html, 400 if oops else 200)

    def _operations(self, service: str) -> Sequence[str]:
        services = [service] if service else self._source.services()
        return sorted({each.name for name in services for each in self._source.operations(name)})


_ON_ITS_WAY: Final = """Services send their spans every few seconds, so the trace of a request just made may still be
on its way: reload in a moment."""
_FORGOTTEN: Final = """Only the newest traces are kept, in memory: it may also have made room for others, or been made
before the backend was last started."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The search form as it was sent."""

    service: str
    operation: str
    min_duration: str
    errors: bool
    limit: int

    @classmethod
    def of(cls, given: QueryParams) -> "Asked":
        limit = given.get("limit", "")
        return cls(
            service=given.get("service", ""),
            operation=given.get("operation", "").strip(),
            min_duration=given.get("minDuration", "").strip(),
            errors=bool(given.get("errors")),
            limit=int(limit) if limit.isdecimal() and len(limit) < 9 and int(limit) in _LIMITS else 20,
        )

    def query(self) -> TraceQuery:
        """Raises BadParameterError if the duration is none."""
        return TraceQuery(
            service=self.service or None,
            operation=self.operation or None,
            failed_only=self.errors,
            min_duration_ns=self._min_duration_ns(),
            limit=self.limit,
        )

    def _min_duration_ns(self) -> int | None:
        if not self.min_duration:
            return None
        try:
            return params.duration_ns(self.min_duration.replace(" ", ""))
        except BadParameterError as exc:
            raise BadParameterError(f"“{self.min_duration}” is no duration: write 200ms, 1.5s or 2m.") from exc


@dataclass(frozen=True, slots=True)
class Summary:
    """One line of the list. `width` is its duration in percent of the longest; `services`: name, colour, spans."""

    trace_id: str
    service: str
    operation: str
    start_us: int
    duration_us: int
    width: str
    failed: int
    root_failed: bool
    status: str
    services: Sequence[tuple[str, int, int]]


def _summaries(traces: Sequence[Trace]) -> list[Summary]:
    names = {span.origin.service for trace in traces for span in trace.spans}
    colours = page.colours(names)
    longest = max((trace.end_ns - trace.start_ns for trace in traces), default=0)
    return [_summary(trace, colours, max(longest, 1)) for trace in traces]


def _summary(trace: Trace, colours: Mapping[str, int], longest_ns: int) -> Summary:
    root, duration_ns = trace.root, trace.end_ns - trace.start_ns
    spans = Counter(span.origin.service for span in sorted(trace.spans, key=lambda span: span.start_ns))
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
        services=[(name, colours[name], count) for name, count in spans.items()],
    )


async def _not_found(request: Request, _: Exception) -> Response:
    detail, nothing = request.url.path, "There is no page here"
    return _html(page.render("message.html", title=nothing, paragraphs=[], detail=detail), 404)


HANDLERS: Final = {404: _not_found}

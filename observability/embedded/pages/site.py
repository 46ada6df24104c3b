"""The pages' addresses, and from a request to a page. All of it is rendered here, without anything from elsewhere."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from observability.embedded import jaeger_params as params
from observability.embedded import page
from observability.embedded.call_graph import call_graph
from observability.embedded.jaeger_json import trace_json
from observability.embedded.jaeger_params import BadParameterError
from observability.embedded.log_source import LogSource, no_logs
from observability.embedded.pages import answers, comparison, graph_drawing
from observability.embedded.pages.search_form import LIMITS, SearchForm
from observability.embedded.pages.summaries import summaries
from observability.embedded.ports import Size, TraceQuery, TraceSource
from observability.embedded.records import Trace
from observability.embedded.waterfall import build

HANDLERS: Final = {404: answers.not_found}

_WIDE: Final = (1200, 190)
_NARROW: Final = (366, 170)
_GRAPH_TRACES: Final = 2_000
"""The most traces that the graph is made of: counting more takes longer than anybody waits."""


class PageSource(TraceSource, Protocol):
    """What the pages read: traces, and what became of the others."""

    def size(self) -> Size: ...

    def was_dropped(self, trace_id: bytes) -> bool:
        """Whether it was here and made room for others; what was dropped long ago may be forgotten."""


def routes(source: PageSource, logs: LogSource = no_logs) -> list[BaseRoute]:
    """`/` and `/search`: the list; `/trace/<id>`, `/compare?id=…&id=…` and `/dependencies`."""
    pages = _Pages(source, logs)
    return [
        Route("/", pages.search),
        Route("/search", pages.search),
        Route("/trace/{trace_id:path}", pages.trace),
        Route("/compare", pages.compare),
        Route("/dependencies", pages.dependencies),
        Route("/assets/waterfall.js", answers.script),
    ]


class _Pages:
    """Traces do not change once read, so that each page is made beside the loop that takes spans."""

    def __init__(self, source: PageSource, logs: LogSource) -> None:
        self._source, self._logs = source, logs

    async def search(self, request: Request) -> Response:
        form, oops, found = SearchForm.of(request.query_params), "", list[Trace]()
        try:
            found = sorted(self._source.find(form.query()), key=lambda trace: -trace.start_ns)
        except BadParameterError as exc:
            oops = str(exc)
        known = {
            "services": self._source.services(),
            "operations": self._operations(form.service),
            "size": self._source.size(),
        }
        html = await asyncio.to_thread(_search_page, form, oops, found, known)
        return answers.html(html, 400 if oops else 200)

    def _operations(self, service: str) -> list[str]:
        services = [service] if service else self._source.services()
        return sorted({each.name for name in services for each in self._source.operations(name)})

    async def trace(self, request: Request) -> Response:
        found = self._found(request.path_params["trace_id"], request.query_params.get("looked", "0"))
        if isinstance(found, Response):
            return found
        return answers.html(await asyncio.to_thread(self._trace_page, found))

    def _trace_page(self, trace: Trace) -> str:
        return page.render_trace(trace_json(trace), self._logs(trace.trace_id.hex()), online=True)

    async def compare(self, request: Request) -> Response:
        ids = [each.strip() for each in request.query_params.getlist("id")]
        if len(ids) != 2:
            return answers.message(400, "Two traces can be compared", f"Choose two in the list, not {len(ids)}.")
        found = [self._found(each, "9") for each in ids]
        traces = [each for each in found if isinstance(each, Trace)]
        missing = [each for each in found if isinstance(each, Response)]
        return missing[0] if missing else answers.html(await asyncio.to_thread(_comparison_page, *traces))

    async def dependencies(self, _: Request) -> Response:
        traces = self._source.find(TraceQuery(limit=_GRAPH_TRACES))
        return answers.html(await asyncio.to_thread(_dependencies_page, traces))

    def _found(self, digits: str, looked: str) -> Trace | Response:
        """The trace, or the page that says why there is none."""
        try:
            trace_id = params.trace_id(digits)
        except BadParameterError as exc:
            return answers.message(400, "This is no trace id", str(exc))
        if (trace := self._source.get(trace_id)) is not None:
            return trace
        return answers.dropped(digits) if self._source.was_dropped(trace_id) else answers.absent(digits, looked)


def _search_page(form: SearchForm, oops: str, found: Sequence[Trace], known: Mapping[str, Any]) -> str:
    from observability.embedded.pages import scatter  # noqa: PLC0415 -- leather costs a start 50 ms and 4 MB

    listed = summaries(found)
    drawings = {"wide": scatter.draw(listed, *_WIDE), "narrow": scatter.draw(listed, *_NARROW)}
    faults = sorted({kind for each in listed for kind in each.faults})
    return page.render(
        "search.html", form=form, limits=LIMITS, oops=oops, found=listed, faults=faults, **drawings, **known
    )


def _comparison_page(first: Trace, second: Trace) -> str:
    a, b = (build(trace_json(each)) for each in (first, second))
    lines = comparison.compare(a, b)
    verdicts = [each.verdict for each in lines]
    return page.render(
        "compare.html",
        first=a,
        second=b,
        difference_us=b.duration_us - a.duration_us,
        lines=lines[: page.MAX_ROWS],
        hidden=max(0, len(lines) - page.MAX_ROWS),
        only_first=verdicts.count("gone"),
        only_second=verdicts.count("new"),
        both=len(lines) - verdicts.count("gone") - verdicts.count("new"),
        colours=page.colours({*a.services, *b.services}),
    )


def _dependencies_page(traces: Sequence[Trace]) -> str:
    graph = call_graph(traces)
    return page.render(
        "dependencies.html",
        graph=graph,
        across=graph_drawing.across(graph),
        downwards=graph_drawing.downwards(graph),
        colours=page.colours(graph.services),
    )

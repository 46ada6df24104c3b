"""The pages' addresses, and what goes with every answer. All of it is rendered here, without anything from elsewhere."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from observability.embedded import jaeger_params as params
from observability.embedded import page
from observability.embedded.jaeger_json import trace_json
from observability.embedded.jaeger_params import BadParameterError
from observability.embedded.pages import scatter
from observability.embedded.pages.search_form import LIMITS, SearchForm
from observability.embedded.pages.summaries import summaries
from observability.embedded.ports import Size, TraceSource
from observability.embedded.records import Trace

_HEADERS: Final[Mapping[str, str]] = {
    # The pages are text from other processes: even if some markup got through, nothing may run or be loaded.
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}
_WIDE: Final = (1200, 190)
_NARROW: Final = (366, 170)


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


def _message(status: int, title: str, *paragraphs: str, detail: str = "") -> Response:
    return _html(page.render("message.html", title=title, paragraphs=paragraphs, detail=detail), status)


class _Pages:
    def __init__(self, source: PageSource) -> None:
        self._source = source

    async def trace(self, request: Request) -> Response:
        digits = request.path_params["trace_id"]
        try:
            found = self._source.get(params.trace_id(digits))
        except BadParameterError as exc:
            return _message(400, "This is no trace id", str(exc))
        if found is None:
            return _message(404, "This trace is not here", _ON_ITS_WAY, _FORGOTTEN, detail=digits)
        return _html(await asyncio.to_thread(lambda: page.render_trace(trace_json(found), online=True)))

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
        # Traces do not change once read, so the page can be made beside the loop that takes spans.
        html = await asyncio.to_thread(_search_page, form, oops, found, known)
        return _html(html, 400 if oops else 200)

    def _operations(self, service: str) -> list[str]:
        services = [service] if service else self._source.services()
        return sorted({each.name for name in services for each in self._source.operations(name)})


def _search_page(form: SearchForm, oops: str, found: Sequence[Trace], known: Mapping[str, Any]) -> str:
    listed = summaries(found)
    drawings = {"wide": scatter.draw(listed, *_WIDE), "narrow": scatter.draw(listed, *_NARROW)}
    faults = sorted({kind for each in listed for kind in each.faults})
    return page.render(
        "search.html", form=form, limits=LIMITS, oops=oops, found=listed, faults=faults, **drawings, **known
    )


_ON_ITS_WAY: Final = """Services send their spans every few seconds, so the trace of a request just made may still be
on its way: reload in a moment."""
_FORGOTTEN: Final = """Only the newest traces are kept, in memory: it may also have made room for others, or been made
before the backend was last started."""


async def _not_found(request: Request, _: Exception) -> Response:
    return _message(404, "There is no page here", detail=request.url.path)


HANDLERS: Final = {404: _not_found}

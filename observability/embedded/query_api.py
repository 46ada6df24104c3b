"""Jaeger's query API, version 1, over any trace source."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from observability.embedded import jaeger_params as params
from observability.embedded.dependencies import dependencies
from observability.embedded.jaeger_json import KINDS, trace_id_text, trace_json
from observability.embedded.jaeger_params import BadParameterError
from observability.embedded.ports import TraceSource
from observability.embedded.records import Trace

Endpoint = Callable[[Request], Awaitable[Response]]


def routes(source: TraceSource) -> list[BaseRoute]:
    """Everything below `/api`."""
    api = _QueryApi(source)
    return [
        Route("/api/services", _guarded(api.services)),
        Route("/api/services/{service:path}/operations", _guarded(api.operation_names)),
        Route("/api/operations", _guarded(api.operations)),
        Route("/api/traces", _guarded(api.traces)),
        Route("/api/traces/{trace_id:path}", _guarded(api.trace)),
        Route("/api/dependencies", _guarded(api.dependencies)),
        Route("/api/metrics/{rest:path}", _no_metrics),
        Route("/api/{rest:path}", _nothing_here),
    ]


class _QueryApi:
    def __init__(self, source: TraceSource) -> None:
        self._source = source

    async def services(self, _: Request) -> Response:
        return _listed(self._source.services())

    async def operation_names(self, request: Request) -> Response:
        operations = self._source.operations(request.path_params["service"])
        return _listed([*dict.fromkeys(each.name for each in operations)])

    async def operations(self, request: Request) -> Response:
        if not (service := request.query_params.get("service")):
            raise BadParameterError("parameter 'service' is required")
        wanted = request.query_params.get("spanKind")
        found = [{"name": name, "spanKind": KINDS.get(kind, "")} for name, kind in self._source.operations(service)]
        return _listed([each for each in found if wanted in (None, "", each["spanKind"])])

    async def traces(self, request: Request) -> Response:
        if wanted := request.query_params.getlist("traceID"):
            return await self._by_ids(request, [params.trace_id(each) for each in wanted])
        return await _answered(self._source.find(params.trace_query(request.query_params)), request)

    async def trace(self, request: Request) -> Response:
        found = self._source.get(params.trace_id(request.path_params["trace_id"]))
        return await _answered([found], request) if found else _refused(404, "trace not found")

    async def dependencies(self, request: Request) -> Response:
        traces = self._source.find(params.dependencies_query(request.query_params))
        found = await asyncio.to_thread(dependencies, traces)
        links = [{"parent": each.parent, "child": each.child, "callCount": each.call_count} for each in found]
        return JSONResponse(_envelope(links))

    async def _by_ids(self, request: Request, ids: Sequence[bytes]) -> Response:
        found = {each: self._source.get(each) for each in dict.fromkeys(ids)}
        missing = [{"msg": "trace not found", "traceID": trace_id_text(each)} for each in found if found[each] is None]
        return await _answered([trace for trace in found.values() if trace], request, missing)


async def _answered(traces: Sequence[Trace], request: Request, errors: Sequence[Any] = ()) -> Response:
    raw, indent = _asked(request, "raw"), 2 if _asked(request, "prettyPrint") else None
    # Traces do not change once read, so a big answer can be built beside the loop that takes spans.
    return await asyncio.to_thread(_built, traces, raw, indent, errors)


def _built(traces: Sequence[Trace], raw: bool, indent: int | None, errors: Sequence[Any]) -> Response:
    envelope = _envelope([trace_json(trace, raw=raw) for trace in traces], errors=errors)
    return Response(json.dumps(envelope, ensure_ascii=False, indent=indent), media_type="application/json")


def _asked(request: Request, flag: str) -> bool:
    return request.query_params.get(flag, "").lower() in ("1", "t", "true")


def _listed(data: Sequence[Any]) -> Response:
    return JSONResponse(_envelope(data or None, total=len(data)))


def _refused(status: int, message: str) -> Response:
    body = JSONResponse(_envelope(None, errors=[{"code": status, "msg": message}]), status)
    body.headers["content-type"] = "text/plain; charset=utf-8"  # as Jaeger sends it
    return body


def _envelope(data: Sequence[Any] | None, *, total: int = 0, errors: Sequence[Any] = ()) -> dict[str, Any]:
    return {"data": data, "total": total, "limit": 0, "offset": 0, "errors": errors or None}


def _guarded(endpoint: Endpoint) -> Endpoint:
    async def guarded(request: Request) -> Response:
        try:
            return await endpoint(request)
        except BadParameterError as exc:
            return _refused(400, str(exc))

    return guarded


async def _no_metrics(_: Request) -> Response:
    return _refused(501, "metrics querying is currently disabled")  # Prometheus has them


async def _nothing_here(request: Request) -> Response:
    return _refused(404, f"there is no {request.url.path} here")

"""Jaeger's query API, version 3, over HTTP: traces in OTLP's JSON."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

from opentelemetry.proto.trace.v1.trace_pb2 import TracesData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from observability.embedded import jaeger_params as params
from observability.embedded import jaeger_params_v3, otlp_json
from observability.embedded.jaeger_json import KINDS
from observability.embedded.jaeger_otlp import add_trace
from observability.embedded.jaeger_params import BadParameterError
from observability.embedded.ports import TraceSource
from observability.embedded.records import Trace

Endpoint = Callable[[Request], Awaitable[Response]]


def routes(source: TraceSource) -> list[BaseRoute]:
    """Everything below `/api/v3`."""
    api = _QueryApi(source)
    return [
        Route("/api/v3/services", api.services),
        Route("/api/v3/operations", api.operations),
        Route("/api/v3/traces", _guarded(api.traces)),
        Route("/api/v3/traces/{trace_id:path}", _guarded(api.trace)),
    ]


class _QueryApi:
    def __init__(self, source: TraceSource) -> None:
        self._source = source

    async def services(self, _: Request) -> Response:
        return _json({"services": list(self._source.services())})

    async def operations(self, request: Request) -> Response:
        wanted = request.query_params.get("span_kind")
        known = self._source.operations(request.query_params.get("service", ""))
        found = [{"name": name, "spanKind": KINDS.get(kind, "")} for name, kind in known]
        return _json({"operations": [each for each in found if wanted in (None, "", each["spanKind"])]})

    async def traces(self, request: Request) -> Response:
        return await _answered(self._source.find(jaeger_params_v3.trace_query(request.query_params)))

    async def trace(self, request: Request) -> Response:
        try:
            wanted = params.trace_id(request.path_params["trace_id"])
        except BadParameterError as exc:
            raise BadParameterError(f"malformed parameter trace_id: {exc}") from exc
        found = self._source.get(wanted)
        return await _answered([found] if found else [])


async def _answered(traces: Sequence[Trace]) -> Response:
    if not traces:
        return _refused(404, "No traces found")
    # Traces do not change once read, so a big answer can be built beside the loop that takes spans.
    return await asyncio.to_thread(lambda: _json({"result": _result(traces)}))


def _result(traces: Iterable[Trace]) -> dict[str, Any]:
    data = TracesData()
    for trace in traces:
        add_trace(data, trace)
    document = otlp_json.document(data)
    for span in otlp_json.spans(document):
        span.setdefault("status", {})  # Jaeger writes it always
    return document


def _json(document: Any, status: int = 200) -> Response:
    text = json.dumps(document, ensure_ascii=False)
    return Response(text, status, headers={"content-type": "text/plain; charset=utf-8"})  # as Jaeger sends it


def _refused(status: int, message: str) -> Response:
    return _json({"error": {"httpCode": status, "message": message}}, status)


def _guarded(endpoint: Endpoint) -> Endpoint:
    async def guarded(request: Request) -> Response:
        try:
            return await endpoint(request)
        except BadParameterError as exc:
            return _refused(400, str(exc))

    return guarded

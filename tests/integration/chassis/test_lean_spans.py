"""The spans and metrics of `ServerSpans` are those of OpenTelemetry's instrumentation, request by request."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import pytest_asyncio
from fastapi import APIRouter, FastAPI
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import format_span_id
from starlette.responses import StreamingResponse

from observability import semconv
from services.chassis.settings import ServerSpanWriter
from tests.integration.chassis.http_toy import LONG_S, MAX_BODY_BYTES, Client, Parts, create_app, outside, served
from tests.integration.chassis.ports import HOST
from tests.raw_http import PATIENCE_S
from tests.unit.chassis.recording import OPENMETRICS, Recording, attributes_of, recording, trace_of
from tests.waiting import become

pytestmark = pytest.mark.asyncio(loop_scope="module")

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
CONTINUED = b"x-toy-may: continue\r\ntraceparent: 00-%b-%b-01" % (TRACE.encode(), SPAN.encode())

WRITERS: tuple[ServerSpanWriter, ...] = ("lean", "stock")
REQUESTS: dict[str, tuple[bytes, bytes, bytes]] = {
    # name: (request line, header lines, body)
    "an answer": (b"GET /v1/items", b"", b""),
    "a parameter": (b"GET /v1/items/a", b"", b""),
    "a query": (b"GET /v1/items?limit=7&x=%20%C3%A9", b"", b""),
    "an escaped path": (b"GET /v1/items/%C3%A9%20b", b"", b""),
    "a slash in a parameter": (b"GET /v1/items/a%2Fb", b"", b""),
    "a body": (b"POST /v1/items", b"content-type: application/json", b'{"name": "x", "lines": []}'),
    "an invalid body": (b"POST /v1/items", b"content-type: application/json", b'{"name": 1}'),
    "a malformed body": (b"POST /v1/items", b"content-type: application/json", b"{"),
    "too large a body": (b"POST /v1/items", b"content-type: application/json", b" " * (MAX_BODY_BYTES + 1)),
    "an invalid query": (b"GET /v1/items?limit=none", b"", b""),
    "no route": (b"GET /nowhere", b"", b""),
    "no route, long": (b"GET /" + b"n" * 5000, b"", b""),
    "another method": (b"DELETE /v1/items", b"", b""),
    "an unknown method": (b"BREW /v1/items", b"", b""),
    "an unknown method, no route": (b"BREW /nowhere", b"", b""),
    "a method in small letters": (b"get /v1/items", b"", b""),
    "a method that is new": (b"QUERY /v1/items", b"", b""),
    "HEAD": (b"HEAD /v1/items", b"", b""),
    "HEAD where there is one": (b"HEAD /v1/stream", b"", b""),
    "OPTIONS": (b"OPTIONS *", b"", b""),
    "a whole address": (b"GET http://example.org/v1/items?x=1", b"", b""),
    "a defect": (b"GET /v1/defect", b"", b""),
    "a refusal": (b"GET /v1/refusal", b"", b""),
    "a peer that is away": (b"GET /v1/peer-away", b"", b""),
    "a redirect": (b"GET /v1/elsewhere", b"", b""),
    "a stream": (b"GET /v1/stream", b"", b""),
    "a stream that fails": (b"GET /v1/broken", b"", b""),
    "a deadline that is spent": (b"GET /v1/items", b"x-request-timeout-ms: 0", b""),
    "a deadline that is none": (b"GET /v1/items", b"x-request-timeout-ms: soon", b""),
    "a trace from outside": (b"GET /v1/items", CONTINUED.partition(b"\r\n")[2], b""),
    "a trace continued": (b"GET /v1/items", CONTINUED, b""),
    "a trace continued, with state": (b"GET /v1/items", CONTINUED + b"\r\ntracestate: a=1\r\ntracestate: b=2", b""),
    "a trace that is not recorded": (b"GET /v1/items", CONTINUED[:-1] + b"0", b""),
    "a trace that is none": (b"GET /v1/items", b"x-toy-may: continue\r\ntraceparent: garbage", b""),
    "two traces": (b"GET /v1/items", CONTINUED + b"\r\ntraceparent: 00-%b-%b-01" % (b"1" * 32, b"2" * 16), b""),
    "an agent": (b"GET /v1/items", b"user-agent: toy/1.0 (test)", b""),
    "two agents": (b"GET /v1/items", b"user-agent: first\r\nuser-agent: second", b""),
    "an empty agent": (b"GET /v1/items", b"user-agent:", b""),
    "an agent that is no text": (b"GET /v1/items", b"user-agent: caf\xe9", b""),
    "a crawler": (b"GET /v1/items", b"user-agent: Mozilla/5.0 (compatible; Googlebot/2.1)", b""),
    "a probe": (b"GET /v1/items", b"user-agent: AlwaysOn", b""),
    "many header lines": (b"GET /v1/items", b"x: 1\r\n" * 200 + b"x: 1", b""),
    "what is no request": (b"\x00\x01", b"", b""),
}


class Side:
    """One writer's server, and what it recorded."""

    def __init__(self, kept: Recording, client: Client) -> None:
        self._kept, self._client = kept, client

    async def spans_of(self, line: bytes, headers: bytes, body: bytes, spans: int = 1) -> list[dict[str, Any]]:
        """What is recorded of that request, but for ids and ports of its own."""
        self._kept.forget_spans()
        await self._send(line, headers, body)
        return await self.recorded(spans)

    async def recorded(self, spans: int) -> list[dict[str, Any]]:
        """What is recorded once it is that many spans, but for ids and ports of its own."""

        async def recorded() -> list[dict[str, Any]]:
            assert len(self._kept.spans) >= spans
            return [self._told(span) for span in self._kept.spans]

        return await become(recorded, PATIENCE_S)

    async def _send(self, line: bytes, headers: bytes, body: bytes) -> None:
        reader, writer = await asyncio.open_connection(HOST, self._client.port)
        lines = [line + b" HTTP/1.1", b"host: toy", b"connection: close", b"content-length: %d" % len(body), headers]
        writer.write(b"\r\n".join(each for each in lines if each) + b"\r\n\r\n" + body)
        async with asyncio.timeout(PATIENCE_S):
            await reader.read()
        writer.transport.abort()

    def _told(self, span: ReadableSpan) -> dict[str, Any]:
        attributes = attributes_of(span)
        assert attributes.pop(semconv.SERVER_PORT) == self._client.port
        assert attributes.pop(semconv.CLIENT_PORT) > 0
        return {
            "name": span.name,
            "kind": span.kind,
            "attributes": attributes,
            "status": (span.status.status_code, span.status.description),
            "events": _once([(event.name, _without_stack(dict(event.attributes or {}))) for event in span.events]),
            "parent": span.parent and (trace_of(span), format_span_id(span.parent.span_id), span.parent.is_remote),
            "state": span.context and span.context.trace_state.to_header(),
            "links": [(f"{link.context.trace_id:032x}", f"{link.context.span_id:016x}") for link in span.links],
        }

    @property
    def counts(self) -> set[str]:
        """The samples of requests that are counts."""
        body, _ = self._kept.telemetry.metrics.exposition(OPENMETRICS)
        lines = [line.partition(" # ")[0] for line in body.decode().splitlines()]
        return {
            line for line in lines if line.startswith(("http_server_request_duration_seconds_count", "http_server_a"))
        }


def _without_stack(attributes: dict[str, Any]) -> dict[str, Any]:
    stack = attributes.pop(semconv.EXCEPTION_STACKTRACE, "")
    return {**attributes, "stack": stack.rstrip().rpartition("\n")[2]}


def _once(events: list[Any]) -> list[Any]:
    """Without repetitions: what leaves an answer that had begun is recorded by the stock writer at two of its layers."""
    return [event for at, event in enumerate(events) if event not in events[:at]]


def _app(kept: Recording, spans: ServerSpanWriter, parts: Parts | None = None, cap: float = LONG_S) -> FastAPI:
    app, routes = create_app(kept, parts or Parts(), cap, spans=spans), APIRouter(prefix="/v1")

    @routes.api_route("/stream", methods=["GET", "HEAD"])
    async def get_stream() -> StreamingResponse:
        return StreamingResponse(iter(["a", "b", "c"]))

    @routes.get("/broken")
    async def get_broken() -> StreamingResponse:
        def pieces() -> Iterator[str]:
            yield "a"
            raise ZeroDivisionError("half way")

        return StreamingResponse(pieces())

    app.include_router(routes)
    return app


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sides() -> AsyncIterator[tuple[Side, Side]]:
    """The lean writer and the stock one."""
    with ExitStack() as stack:
        lean, stock = (stack.enter_context(recording()) for _ in range(2))
        async with served(outside(_app(lean, "lean"))) as ours, served(outside(_app(stock, "stock"))) as theirs:
            yield Side(lean, ours), Side(stock, theirs)


@pytest.mark.parametrize("name", REQUESTS)
async def test_a_request_is_told_alike(sides: tuple[Side, Side], name: str) -> None:
    spans = 0 if name == "a trace that is not recorded" else 1
    lean, stock = [await side.spans_of(*REQUESTS[name], spans) for side in sides]
    assert lean == stock
    assert len(lean) == spans


async def _over_the_limit(spans: ServerSpanWriter) -> list[dict[str, Any]]:
    """What is recorded of work that would never end, where the server lets none take as long as that."""
    with recording() as kept:
        async with served(outside(_app(kept, spans, cap=0.05))) as client:
            return await Side(kept, client).spans_of(b"GET /v1/work", b"", b"")


async def _cut_off(spans: ServerSpanWriter) -> list[dict[str, Any]]:
    """What is recorded of work that is cancelled in flight, since its server ends."""
    parts = Parts()
    with recording() as kept:
        async with served(outside(_app(kept, spans, parts))) as client:
            _, writer = await asyncio.open_connection(HOST, client.port)
            writer.write(b"GET /v1/work HTTP/1.1\r\nhost: toy\r\n\r\n")
            async with asyncio.timeout(PATIENCE_S):
                await parts.begun.wait()
        writer.transport.abort()
        assert parts.cancelled.is_set()
        return await Side(kept, client).recorded(1)


async def test_a_request_that_reaches_the_servers_own_limit_is_told_alike() -> None:
    lean, stock = [await _over_the_limit(spans) for spans in WRITERS]
    assert lean == stock
    assert [span["attributes"][semconv.HTTP_RESPONSE_STATUS_CODE] for span in lean] == [504]


async def test_a_request_that_is_cancelled_in_flight_is_told_alike() -> None:
    lean, stock = [await _cut_off(spans) for spans in WRITERS]
    assert lean == stock
    assert [(span["name"], semconv.HTTP_RESPONSE_STATUS_CODE in span["attributes"]) for span in lean] == [
        ("GET /v1/work", False)
    ]


async def test_and_is_counted_alike(sides: tuple[Side, Side]) -> None:
    for request in REQUESTS.values():
        for side in sides:
            await side.spans_of(*request, spans=0)
    lean, stock = (side.counts for side in sides)
    assert lean == stock
    assert len(lean) > 10

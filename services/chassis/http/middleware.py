"""The ordered pipeline's steps, each a plain ASGI middleware.

Order, outermost first: `StripHeaders` → `ForeignTrace` (both outside of tracing, which believes what it
reads) → tracing → `ForeignTraceLink` → `TraceAnswer` → `ServerMetrics` → `Problems` → `Refusals` → `BodyLimit` →
authentication (the service's own) → `BodyInTime` → `DeadlineGate` → `LoadShedding` → injected faults
(`services.chassis.faults.http`) → route.
"""

import asyncio
import logging
import re
import time
from collections.abc import Callable, Collection
from http import HTTPStatus

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from opentelemetry import trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from observability import semconv
from observability.telemetry import Telemetry
from services.chassis.boundary import log_failure
from services.chassis.errors import CallError, Catalogue, DeadlineExceededError, ProblemError
from services.chassis.http import problems
from services.chassis.http.asgi import headers_of
from services.chassis.http.routes import route_of
from services.chassis.resilience import deadline
from services.chassis.resilience.deadline import Deadline

log = logging.getLogger(__name__)

_TRACE_HEADERS = {semconv.HEADER_TRACEPARENT.encode(), semconv.HEADER_TRACESTATE.encode()}
_CLIENT_CLOSED_REQUEST = 499  # the status of a request that ends without an answer


class ForeignTrace:
    """Decides about a `traceparent` from outside: continued as parent, or set aside to be linked.

    `may_continue` is asked with the request's headers.
    """

    def __init__(self, app: ASGIApp, may_continue: Callable[[Headers], bool]) -> None:
        self._app, self._may_continue = app, may_continue

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not self._may_continue(headers_of(scope)):
            scope = _set_aside(scope)
        await self._app(scope, receive, send)


def _without(scope: Scope, names: Collection[bytes]) -> Scope:
    return {**scope, "headers": [each for each in scope["headers"] if each[0] not in names]}


def _set_aside(scope: Scope) -> Scope:
    aside = {name.decode(): value.decode("latin-1") for name, value in scope["headers"] if name in _TRACE_HEADERS}
    return {**_without(scope, _TRACE_HEADERS), "faultline.foreign_trace": aside}


class ForeignTraceLink:
    """Links the request's span to the foreign trace that `ForeignTrace` set aside."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if aside := scope.get("faultline.foreign_trace"):
            context = trace.get_current_span(TraceContextTextMapPropagator().extract(aside)).get_span_context()
            if context.is_valid:
                trace.get_current_span().add_link(context)
        await self._app(scope, receive, send)


class TraceAnswer:
    """Puts the trace id on every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        trace_id = problems.current_trace_id()

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[semconv.HEADER_TRACE_ID] = trace_id
            await send(message)

        await self._app(scope, receive, send_with_id)


class ServerMetrics:
    """Measures every request, refused and failed ones like the others."""

    def __init__(self, app: ASGIApp, telemetry: Telemetry) -> None:
        self._app, self._metrics = app, telemetry.metrics
        self._active = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, started, measured = _CLIENT_CLOSED_REQUEST, time.perf_counter(), False

        def measure() -> None:
            nonlocal measured
            if not measured:
                measured = True
                self._count(-1)
                self._observe(scope, status, time.perf_counter() - started)

        async def send_measured(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            elif message["type"] == "http.response.body" and not message.get("more_body", False):
                measure()  # before the end is sent: with it the span ends, and an exemplar needs a living one
            await send(message)

        self._count(+1)
        try:
            await self._app(scope, receive, send_measured)
        finally:
            measure()

    def _count(self, change: int) -> None:
        self._active += change
        self._metrics.set(semconv.HTTP_SERVER_ACTIVE_REQUESTS, self._active)

    def _observe(self, scope: Scope, status: int, seconds: float) -> None:
        method = scope["method"] if scope["method"] in _METHODS else "_OTHER"
        self._metrics.observe(semconv.HTTP_SERVER_REQUEST_DURATION, seconds, method, route_of(scope), str(status))


def declare_routes(app: FastAPI, telemetry: Telemetry) -> None:
    """Makes the counts of every route's successes and failures exist at zero, once `app` has all its routes."""
    for route in iter_route_contexts(app.routes):
        success = getattr(route.original_route, "status_code", None) or HTTPStatus.OK
        documented = [each for each in getattr(route.original_route, "responses", ()) if isinstance(each, int)]
        for method in route.methods or ():
            for status in sorted({int(success), *_FAILURES, *filter(_told_by_objectives, documented)}):
                labels = (method, route.path or "", str(status))
                telemetry.metrics.zero(semconv.HTTP_SERVER_REQUEST_DURATION, *labels)
    for status in _UNREAD:
        telemetry.metrics.zero(semconv.HTTP_SERVER_REQUEST_DURATION, "_OTHER", "", str(int(status)))


def _told_by_objectives(status: int) -> bool:
    """Whether an objective tells it from others: successes of any kind, and what the client is not to blame for."""
    return status < HTTPStatus.MULTIPLE_CHOICES or status in _NOT_BLAMED or status >= HTTPStatus.INTERNAL_SERVER_ERROR


_NOT_BLAMED = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)
# Of what the listener refuses before there is a request: see `services.chassis.http.refusal`.
_UNREAD = (HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
_FAILURES = (HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT)
_METHODS = {"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"}


class Problems:
    """Turns what inner steps and routes raise into a problem document."""

    def __init__(self, app: ASGIApp, catalogue: Catalogue) -> None:
        self._app, self._catalogue = app, catalogue

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def send_noting_begin(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, send_noting_begin)
        except Exception as error:  # the last boundary: logged here, counted as a 500 by ServerMetrics
            problem = problems.from_error(error)
            log_failure(log, error, problem, self._catalogue)
            if begun:
                raise  # too late for another answer; the server breaks the connection off
            answer = problems.response(problem, self._catalogue, scope["path"])
            await answer(scope, receive, send)


class BodyLimit:
    """Refuses a body larger than `max_bytes`, by its declared length or as it comes."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app, self._max_bytes = app, max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        declared = headers_of(scope).get("content-length", "0") if scope["type"] == "http" else "0"
        self._check(int(declared) if declared.isdecimal() else 0)
        taken = 0

        async def receive_counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            self._check(taken)
            return message

        await self._app(scope, receive_counted, send)

    def _check(self, size: int) -> None:
        if size > self._max_bytes:
            raise ProblemError("content-too-large", f"The body may have at most {self._max_bytes} bytes.")


class StripHeaders:
    """Drops headers that only the inside may set. `names` are in lower case.

    Outside of tracing where they are baggage: tracing would hand it on to every peer.
    """

    def __init__(self, app: ASGIApp, names: Collection[str]) -> None:
        self._app, self._names = app, {name.encode() for name in names}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(_without(scope, self._names) if scope["type"] == "http" else scope, receive, send)


class DeadlineGate:
    """Gives each request its deadline and ends it when that is spent.

    `cap` is the most a request may take, in seconds, and what it gets unless it asks for less by
    `X-Request-Timeout-Ms`; None trusts what the caller sends, for services behind the gateway. A
    limit the caller chose is answered with 408 when spent, the system's own with 504.
    """

    def __init__(self, app: ASGIApp, cap: float | None) -> None:
        self._app, self._cap = app, cap

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        seconds, slug = self._limit(headers_of(scope).get(semconv.HEADER_REQUEST_TIMEOUT_MS))
        if seconds is None:
            await self._app(scope, receive, send)
        else:
            await self._bounded(scope, receive, send, seconds, slug)

    async def _bounded(self, scope: Scope, receive: Receive, send: Send, seconds: float, slug: str) -> None:
        if seconds <= 0:
            raise ProblemError(slug, "The deadline was spent before the work began.")
        timer = asyncio.timeout(seconds)
        with deadline.bound(Deadline.after(seconds)):
            try:
                async with timer:
                    await self._app(scope, receive, send)
            except (TimeoutError, CallError) as exc:
                if not timer.expired() and getattr(exc, "slug", "") != DeadlineExceededError.slug:
                    raise
                raise ProblemError(slug, f"Not finished within {seconds * 1000:.0f} ms.", retry_after=1.0) from exc

    def _limit(self, header: str | None) -> tuple[float | None, str]:
        if header is None:
            return self._cap, "deadline-exceeded"
        asked = _milliseconds(header) / 1000
        if self._cap is None:
            return asked, "deadline-exceeded"
        return (asked, "request-timeout") if asked < self._cap else (self._cap, "deadline-exceeded")


def _milliseconds(header: str) -> int:
    if not _WHOLE_NUMBER.fullmatch(header):
        name = semconv.HEADER_REQUEST_TIMEOUT_MS
        raise ProblemError("malformed-request", f"{name} must be a whole number of milliseconds.")
    return int(header)


_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,12}")


def status_slug(status: int) -> str:
    """The catalogue's slug for a bare HTTP error status of the framework's own."""
    return _STATUS_SLUGS.get(status, "malformed-request" if status < HTTPStatus.INTERNAL_SERVER_ERROR else "internal")


_STATUS_SLUGS: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: "unauthenticated",
    HTTPStatus.FORBIDDEN: "forbidden",
    HTTPStatus.NOT_FOUND: "not-found",
    HTTPStatus.METHOD_NOT_ALLOWED: "method-not-allowed",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "content-too-large",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "unsupported-media-type",
}

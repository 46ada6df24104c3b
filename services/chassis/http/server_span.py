"""The span of each request that is served, as OpenTelemetry's instrumentation of FastAPI writes it, for less.

The same name, kind, attributes, status, events and parent (OpenTelemetry's semantic conventions, "HTTP server spans"). Less
because each thing is done once: the route is looked for once, headers are read in one go, attributes are given to the span
at its beginning alone, and the context is entered once. Not taken over: headers as attributes, which the environment can
ask of the stock one, and spans for websockets, of which there are none here.
"""

from functools import lru_cache
from typing import Any, Final

from opentelemetry import propagate, trace
from opentelemetry.context import Context, attach, detach
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from opentelemetry.util.http import detect_synthetic_user_agent
from opentelemetry.util.types import AttributeValue
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from observability import semconv
from observability.telemetry import Telemetry
from services.chassis.http.routes import route_of

_OTHER: Final = "_OTHER"
_METHODS: Final = {"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY"}

_kind_of_agent = lru_cache(maxsize=256)(detect_synthetic_user_agent)  # bounded: agents name themselves as they like


class ServerSpans:
    """Traces requests. Outermost of an application's steps, and outside of whatever asks for the current span."""

    def __init__(self, app: ASGIApp, telemetry: Telemetry) -> None:
        self._app, self._tracer = app, telemetry.tracer
        self._carried = {name.encode("latin-1"): name for name in propagate.get_global_textmap().fields}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        context, agent = self._read(scope)
        span = self._start(scope, context, agent)
        token = attach(trace.set_span_in_context(span, context))
        try:
            await self._app(scope, receive, _traced(span, send))
        except Exception as error:
            _failed(span, error)
            raise
        finally:
            detach(token)
            if span.is_recording():
                span.end()

    def _read(self, scope: Scope) -> tuple[Context, str]:
        """The context that the caller sent, and who the caller says it is."""
        carrier, agent = dict[str, list[str]](), ""
        for name, value in scope["headers"]:
            if name in self._carried:
                carrier.setdefault(self._carried[name], []).append(_text(value))
            elif name == b"user-agent" and not agent:
                agent = _text(value)
        return (propagate.extract(carrier, Context()) if carrier else Context()), agent

    def _start(self, scope: Scope, context: Context, agent: str) -> Span:
        said, route = scope["method"], route_of(scope)
        method = said.upper() if said.upper() in _METHODS else _OTHER
        attributes = {**_address(scope), **_target(scope), **_agent(agent)}
        if said:
            attributes[semconv.HTTP_REQUEST_METHOD] = method
        if said and said != method:
            attributes[semconv.HTTP_REQUEST_METHOD_ORIGINAL] = said
        if route:
            attributes[semconv.HTTP_ROUTE] = route
        verb = "HTTP" if method == _OTHER else method
        name = f"{verb} {route}" if route else verb
        return self._tracer.start_span(name, context, SpanKind.SERVER, attributes)


def _address(scope: Scope) -> dict[str, AttributeValue]:
    """Both ends of the connection. A socket in the file system has no port."""
    (server, port), (client, client_port) = scope.get("server") or _UNSAID, scope.get("client") or ("", 0)
    known: dict[str, Any] = {
        semconv.URL_SCHEME: scope.get("scheme"),
        semconv.SERVER_ADDRESS: server,
        semconv.SERVER_PORT: port,
        semconv.NETWORK_PROTOCOL_VERSION: scope.get("http_version"),
        semconv.CLIENT_ADDRESS: client,
        semconv.CLIENT_PORT: client_port,
    }
    return {name: value for name, value in known.items() if value}


_UNSAID: Final = ("0.0.0.0", 80)  # noqa: S104  # an address to tell, not to bind: what the stock one takes it for


def _target(scope: Scope) -> dict[str, AttributeValue]:
    target: dict[str, AttributeValue] = {}
    if scope["path"]:
        target[semconv.URL_PATH] = scope["path"]
        if scope["query_string"]:
            target[semconv.URL_QUERY] = scope["query_string"].decode()
    return target


def _agent(agent: str) -> dict[str, AttributeValue]:
    if not agent:
        return {}
    kind = _kind_of_agent(agent)
    named: dict[str, AttributeValue] = {semconv.USER_AGENT_ORIGINAL: agent}
    return {**named, semconv.USER_AGENT_SYNTHETIC_TYPE: kind} if kind else named


def _traced(span: Span, send: Send) -> Send:
    """`send`, so that the span learns of the status, and ends once the answer is sent."""

    async def send_traced(message: Message) -> None:
        if message["type"] == "http.response.start":
            _answered(span, message["status"])
        await send(message)
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            span.end()

    return send_traced


def _answered(span: Span, status: int) -> None:
    span.set_attribute(semconv.HTTP_RESPONSE_STATUS_CODE, status)
    if status >= 500:
        span.set_attribute(semconv.ERROR_TYPE, str(status))
        span.set_status(Status(StatusCode.ERROR))


def _failed(span: Span, error: Exception) -> None:
    if span.is_recording():
        span.record_exception(error)
        span.set_status(Status(StatusCode.ERROR, f"{type(error).__name__}: {error}"))


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("unicode_escape")

"""The HTTP client of one edge: every request goes through the edge's call seam."""

import asyncio
import json
import re
import time
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import aiohttp
from opentelemetry.instrumentation._semconv import _StabilityMode
from opentelemetry.instrumentation.aiohttp_client import create_trace_config
from opentelemetry.trace import Span, StatusCode
from yarl import URL

from observability import semconv
from observability.telemetry import Telemetry
from services.chassis.calls import CallSeam, error_type
from services.chassis.errors import (
    DeadlineExceededError,
    FaultlineError,
    MalformedAnswerError,
    PeerUnavailableError,
    ProblemError,
    from_peer,
)
from services.chassis.http import problems
from services.chassis.principal import Principal
from services.chassis.resilience.attempt import Attempt
from services.chassis.targets import RoundRobin

_attempt: ContextVar[Attempt] = ContextVar("http_attempt")


@dataclass(frozen=True)
class HttpRequest:
    """What to send. `path` is percent-encoded where it needs be; `json` is encoded as the body unless None."""

    method: str
    path: str
    json: Any = None
    headers: Mapping[str, str] | None = None
    query: Mapping[str, str] | None = None
    principal: Principal | None = None


@dataclass(frozen=True)
class HttpResponse:
    """A peer's answer below 400. `body` is the decoded JSON, None when empty; case in header names does not matter."""

    status: int
    headers: Mapping[str, str]
    body: Any


class HttpClient:
    """A component: opens its connections at start and lets go of them at stop."""

    def __init__(self, targets: Sequence[str], seam: CallSeam, telemetry: Telemetry) -> None:
        self.name = f"http client {seam.edge}"
        self._addresses, self._targets = targets, RoundRobin(targets)
        self._seam, self._telemetry = seam, telemetry
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        self._session = aiohttp.ClientSession(
            trace_configs=[_trace_config(self._telemetry, self._seam.edge.callee)],
            timeout=aiohttp.ClientTimeout(total=None),  # the seam's limits are the only ones
            connector=aiohttp.TCPConnector(limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),  # one caller's must not become another's
        )
        # aiohttp would repeat an idempotent request by itself, unseen; retries are the seam's alone.
        self._session._retry_connection = False  # noqa: SLF001

    async def drain(self) -> None:
        """Nothing of its own is in flight: the servers before it have drained."""

    async def stop(self) -> None:
        if self._session:
            await self._session.close()

    async def check(self) -> None:
        """Raises PeerUnavailableError when nobody listens at any of the peer's addresses. Asks them nothing."""
        reasons = [why for each in self._addresses if (why := await _unreachable(URL(each)))]
        if len(reasons) == len(self._addresses):
            raise PeerUnavailableError(self._seam.edge, "check", "; ".join(reasons), retry_after=1.0)

    async def request(self, operation: str, request: HttpRequest, *, idempotent: bool) -> HttpResponse:
        """Sends `request` under the edge's policies.

        Raises: ProblemError with the peer's own problem; CallError when no usable answer came.
        """
        return await self._seam.call(
            operation, lambda attempt: self._attempt(operation, request, attempt), idempotent=idempotent
        )

    async def _attempt(self, operation: str, request: HttpRequest, attempt: Attempt) -> HttpResponse:
        started, status, error = time.perf_counter(), "", ""
        token = _attempt.set(attempt)
        try:
            response = await self._exchange(operation, request, attempt)
            status = str(response.status)
            error = status if response.status >= 500 else ""
        except BaseException as exc:
            error = _error_type(exc, attempt)
            raise
        finally:
            _attempt.reset(token)
            labels = (request.method, self._seam.edge.callee, status, error)
            seconds = time.perf_counter() - started
            self._telemetry.metrics.observe(semconv.HTTP_CLIENT_REQUEST_DURATION, seconds, *labels)
        return self._understood(operation, response, attempt)

    async def _exchange(self, operation: str, request: HttpRequest, attempt: Attempt) -> "_Raw":
        try:
            async with self._open().request(
                request.method,
                URL(self._targets.next() + request.path, encoded=True),  # as it is: no `..` is resolved
                json=request.json,
                params=request.query,
                headers=_headers(request, attempt),
                allow_redirects=False,
            ) as answer:
                return _Raw(answer.status, answer.headers, await answer.read())
        except aiohttp.ClientResponseError as exc:
            raise MalformedAnswerError(self._seam.edge, operation, f"not HTTP: {exc.message}") from exc
        except (aiohttp.ClientError, ConnectionError) as exc:
            raise PeerUnavailableError(self._seam.edge, operation, _why(exc), retry_after=1.0) from exc

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError(f"{self.name} was used before it was started")
        return self._session

    def _understood(self, operation: str, raw: "_Raw", attempt: Attempt) -> HttpResponse:
        body = self._decoded(operation, raw)
        if raw.status < 400:
            return HttpResponse(raw.status, raw.headers, body)
        problem = problems.parse(body) if isinstance(body, dict) else None
        error = self._refused(operation, raw.status, problem, attempt)
        error.retried = problem is not None and problem.retried
        if error.pushback is None:
            error.pushback = _retry_after(raw.headers)
        raise error

    def _refused(self, operation: str, status: int, problem: ProblemError | None, attempt: Attempt) -> FaultlineError:
        if problem is None or problem.slug not in self._seam.catalogue:
            return MalformedAnswerError(self._seam.edge, operation, f"status {status} without a known problem")
        if problem.slug == DeadlineExceededError.slug:
            return attempt.spent(self._seam.edge, operation, str(problem))  # what we gave it was not enough
        return from_peer(problem, self._seam.edge, operation, self._seam.catalogue)

    def _decoded(self, operation: str, raw: "_Raw") -> Any:
        try:
            return json.loads(raw.body) if raw.body else None
        except ValueError as exc:
            raise MalformedAnswerError(self._seam.edge, operation, f"status {raw.status}, body is not JSON") from exc


@dataclass(frozen=True)
class _Raw:
    status: int
    headers: Mapping[str, str]
    body: bytes


def _headers(request: HttpRequest, attempt: Attempt) -> dict[str, str]:
    principal = request.principal.as_metadata() if request.principal else {}
    return {**(request.headers or {}), **principal, **_remaining(attempt.timeout)}


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds by `Retry-After`; a date, its other form, is not for machines that wait for less than a second."""
    value = headers.get("Retry-After", "")
    return float(value) if re.fullmatch("[0-9]{1,9}", value) else None


def _remaining(seconds: float | None) -> dict[str, str]:
    return {} if seconds is None else {semconv.HEADER_REQUEST_TIMEOUT_MS: str(max(1, int(seconds * 1000)))}


async def _unreachable(url: URL) -> str:
    """Why no connection can be made; empty if one can."""
    try:
        _, writer = await asyncio.open_connection(url.host, url.port)
    except OSError as exc:
        return _why(exc)
    writer.close()
    return ""


def _why(exc: Exception) -> str:
    return f"{type(exc).__name__}: {exc}"


def _judge(span: Span, end: aiohttp.TraceRequestEndParams | aiohttp.TraceRequestExceptionParams) -> None:
    # By the outcome table a refusal is an answer; the instrumentation is about to call it an error, and
    # a status of OK is final.
    if isinstance(end, aiohttp.TraceRequestEndParams) and 400 <= end.response.status < 500:
        span.set_status(StatusCode.OK)
    elif isinstance(end, aiohttp.TraceRequestExceptionParams):
        span.set_attribute(semconv.ERROR_TYPE, _error_type(end.exception, _attempt.get()))


def _error_type(error: BaseException, attempt: Attempt) -> str:
    cut_off = isinstance(error, asyncio.CancelledError) and attempt.cut_off()
    return error_type(_kind(error), attempt.gives_up_with if cut_off else None)


def _kind(error: BaseException) -> type[BaseException]:
    """What `_exchange` makes of `error`: the instrumentation sees it sooner."""
    if isinstance(error, aiohttp.ClientResponseError):
        return MalformedAnswerError
    return PeerUnavailableError if isinstance(error, aiohttp.ClientError | ConnectionError) else type(error)


def _trace_config(telemetry: Telemetry, callee: str) -> aiohttp.TraceConfig:
    def mark(span: Span, _: aiohttp.TraceRequestStartParams) -> None:
        span.set_attribute(semconv.CALLEE, callee)
        span.set_attribute(semconv.ATTEMPT, _attempt.get().number)
        if _attempt.get().number > 1:
            span.set_attribute(semconv.HTTP_REQUEST_RESEND_COUNT, _attempt.get().number - 1)

    return create_trace_config(
        request_hook=mark,
        response_hook=_judge,
        tracer_provider=telemetry.tracer_provider,
        meter_provider=telemetry.meter_provider,
        # Unlike its instrumentor, this function does not look at OTEL_SEMCONV_STABILITY_OPT_IN.
        sem_conv_opt_in_mode=_StabilityMode.HTTP,
    )

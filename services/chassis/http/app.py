"""Makes a FastAPI application that answers, traces and fails the way every service here does."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.trace import Span
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.types import Scope

from observability import semconv
from observability.telemetry import Telemetry
from services.chassis.errors import Catalogue, FieldError, ProblemError
from services.chassis.http import middleware, problems
from services.chassis.http.refusal import Refusals
from services.chassis.http.routes import methods_of
from services.chassis.http.server_span import ServerSpans
from services.chassis.settings import ServerSpanWriter

if TYPE_CHECKING:
    from fastapi.telemetry import TelemetryConfig

NO_OTHER_TELEMETRY: Final["TelemetryConfig"] = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}
"""For FastAPI's constructor: its own telemetry begins by itself once a library sets a global provider, or the environment
says so, and would tell everything twice, exception messages included."""


def create(
    telemetry: Telemetry,
    catalogue: Catalogue,
    steps: Sequence[Middleware],
    *,
    spans: ServerSpanWriter = "stock",
    **fastapi: Any,
) -> FastAPI:
    """A FastAPI application with the common steps around `steps`, outermost first.

    `fastapi` goes to FastAPI's constructor.
    """
    common = [
        *([Middleware(ServerSpans, telemetry=telemetry)] if spans == "lean" else []),
        Middleware(middleware.ForeignTraceLink),
        Middleware(middleware.TraceAnswer),
        Middleware(middleware.ServerMetrics, telemetry=telemetry),
        Middleware(middleware.Problems, catalogue=catalogue),
        Middleware(Refusals),
    ]
    # A redirect would be made of the Host header, which is the caller's to choose.
    app = FastAPI(middleware=[*common, *steps], redirect_slashes=False, telemetry=NO_OTHER_TELEMETRY, **fastapi)
    _translate_framework_errors(app, catalogue)
    if spans == "stock":
        trace_by_stock(app, telemetry)
    return app


def trace_by_stock(app: FastAPI, telemetry: Telemetry) -> None:
    """Has OpenTelemetry's instrumentation write the span of each request."""
    # Spans of sending and receiving cost and say nothing.
    FastAPIInstrumentor.instrument_app(
        app,
        tracer_provider=telemetry.tracer_provider,
        meter_provider=telemetry.meter_provider,
        exclude_spans=["receive", "send"],
        server_request_hook=_mend,
    )


def _mend(span: Span, scope: Scope) -> None:
    # The instrumentation puts the port into the address as well.
    if server := scope.get("server"):
        span.set_attribute(semconv.SERVER_ADDRESS, server[0])


def _translate_framework_errors(app: FastAPI, catalogue: Catalogue) -> None:
    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        return problems.response(_from_validation(error), catalogue, request.url.path)

    @app.exception_handler(HTTPException)
    async def bare(request: Request, error: HTTPException) -> Response:
        if isinstance(error.__cause__, ProblemError):
            raise error.__cause__  # a step refused while FastAPI read the body, which it takes for a bad body
        problem = ProblemError(middleware.status_slug(error.status_code), str(error.detail))
        answer = problems.response(problem, catalogue, request.url.path)
        answer.headers.update(error.headers or {})
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            answer.headers["Allow"] = ", ".join(methods_of(request.scope))  # the framework names one route's alone
        return answer


def _from_validation(error: RequestValidationError) -> ProblemError:
    rows = error.errors()
    if any(row["type"] == "json_invalid" for row in rows):
        return ProblemError("malformed-request", "The body is not valid JSON.")
    fields = [FieldError(_path(row["loc"]), row["msg"]) for row in rows[:_MOST_FIELDS]]
    return ProblemError("validation-failed", "The request is not what the operation takes.", errors=fields)


_MOST_FIELDS = 100  # a small body can have very many; the answer must not outgrow it


def _path(location: Sequence[str | int]) -> str:
    """`("body", "lines", 0, "quantity")` → `lines[0].quantity`."""
    path = "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in location[1:])
    return path.removeprefix(".") or str(location[0])

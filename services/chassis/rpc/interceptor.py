"""The server's interceptor: what every served call gets, whatever its method.

Span, metric, deadline, admission, and errors translated to statuses. Written here because the stock
instrumentation writes superseded attribute names and marks every status but OK as an error.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

import grpc
from google.protobuf import descriptor_pool
from google.protobuf.message import DecodeError
from opentelemetry.context import attach, detach
from opentelemetry.propagate import extract
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from observability import semconv
from observability.telemetry import Telemetry
from services.chassis.admission import AdmissionControl
from services.chassis.boundary import log_failure
from services.chassis.errors import CallError, Catalogue, ProblemError, answer_to
from services.chassis.resilience import deadline
from services.chassis.resilience.deadline import NO_DEADLINE, Deadline, cancelled_by_deadline
from services.chassis.rpc.status import abort

log = logging.getLogger(__name__)

Context = grpc.aio.ServicerContext[Any, Any]
Handler = Callable[[Any, Context], Awaitable[Any]]
_UNTRACED = ("/grpc.health.", "/grpc.reflection.")

# The server's own failures; every other status is an answer. From OpenTelemetry's conventions for gRPC servers.
_SERVER_ERRORS = {"UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"}
_DECLARED = ("OK", "INTERNAL", "UNAVAILABLE", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED")


class Inject(Protocol):
    """What is awaited before each call while it is true: an injected fault waits there, or raises a ProblemError."""

    def __bool__(self) -> bool: ...
    async def __call__(self, method: str) -> None: ...


class ServerInterceptor(grpc.aio.ServerInterceptor):
    """Wraps each unary method in span, metric, deadline, admission and translation of errors.

    `admission` None: every call is taken in. Those of health and reflection always are.
    """

    def __init__(
        self,
        telemetry: Telemetry,
        catalogue: Catalogue,
        inject: Inject | None = None,
        admission: AdmissionControl | None = None,
    ) -> None:
        self._telemetry, self._catalogue = telemetry, catalogue
        self._inject, self._admission = inject, admission

    def declare(self, service: str) -> None:
        """Makes the counts of every method of `service`, a full name, exist at zero."""
        for method in descriptor_pool.Default().FindServiceByName(service).methods:
            for code in _DECLARED:
                labels = (f"{service}/{method.name}", code)
                self._telemetry.metrics.zero(semconv.RPC_SERVER_CALL_DURATION, *labels)

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        handler = await continuation(handler_call_details)
        method = handler_call_details.method
        if handler is None or handler.unary_unary is None or method.startswith(_UNTRACED):
            return handler
        # The message is read within: gRPC answers one that it can't read with UNKNOWN, untraced and unmeasured.
        handle = _reading(handler.request_deserializer, handler.unary_unary)
        return grpc.unary_unary_rpc_method_handler(
            self._served(method.lstrip("/"), handle), None, handler.response_serializer
        )

    def _served(self, method: str, handle: Handler) -> Handler:
        async def served(request: Any, context: Context) -> Any:
            with _caller(context), self._span(method) as span, deadline.bound(_deadline(context)):
                return await self._measured(method, span, handle, request, context)

        return served

    def _admitted(self, method: str, handle: Handler) -> Handler:
        """`handle` with what stands before it: a fault makes the work slow, so that it counts as work."""
        work = self._hurt(method, handle) if self._inject else handle
        return _admitting(self._admission, work) if self._admission else work

    def _hurt(self, method: str, handle: Handler) -> Handler:
        """`handle`, before which the fault does its harm: within the deadline, so that it cannot outlast it."""

        async def hurt(request: Any, context: Context) -> Any:
            if self._inject:
                await self._inject(method)
            return await handle(request, context)

        return hurt

    def _span(self, method: str) -> AbstractContextManager[Span]:
        return self._telemetry.tracer.start_as_current_span(
            method,
            kind=SpanKind.SERVER,
            attributes={semconv.RPC_SYSTEM_NAME: semconv.RPC_SYSTEM_GRPC, semconv.RPC_METHOD: method},
            record_exception=False,
            set_status_on_exception=False,
        )

    async def _measured(self, method: str, span: Span, handle: Handler, request: Any, context: Context) -> Any:
        started, code = time.perf_counter(), "OK"
        try:
            return await _in_time(self._admitted(method, handle), request, context)
        except asyncio.CancelledError:
            code = "DEADLINE_EXCEEDED" if cancelled_by_deadline() else "CANCELLED"
            raise
        except Exception as error:  # noqa: BLE001  # the last boundary: logged here, counted by its code below
            problem = _to_problem(error)
            code = self._catalogue[problem.slug].grpc_status
            span.set_attribute(semconv.PROBLEM, problem.slug)
            log_failure(log, error, problem, self._catalogue)
            await abort(context, problem, self._catalogue)
        finally:
            span.set_attribute(semconv.RPC_RESPONSE_STATUS_CODE, code)
            if code in _SERVER_ERRORS:
                span.set_status(Status(StatusCode.ERROR, code))
                span.set_attribute(semconv.ERROR_TYPE, code)
            seconds = time.perf_counter() - started
            self._telemetry.metrics.observe(semconv.RPC_SERVER_CALL_DURATION, seconds, method, code)


def _reading(read: Callable[[bytes], Any], handle: Handler) -> Handler:
    async def handle_bytes(request: bytes, context: Context) -> Any:
        try:
            message = read(request)
        except DecodeError as exc:
            raise ProblemError("malformed-request", "The message is not what the method takes.") from exc
        return await handle(message, context)

    return handle_bytes


def _admitting(admission: AdmissionControl, handle: Handler) -> Handler:
    async def handle_admitted(request: Any, context: Context) -> Any:
        async with admission.admitted():
            return await handle(request, context)

    return handle_admitted


@contextmanager
def _caller(context: Context) -> Iterator[None]:
    """Makes the caller's trace context current, its baggage too."""
    metadata = {key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)}
    token = attach(extract(metadata))
    try:
        yield
    finally:
        detach(token)


def _deadline(context: Context) -> Deadline:
    remaining: float | None = context.time_remaining()  # None without a deadline, whatever its type says
    return NO_DEADLINE if remaining is None else Deadline.after(remaining)


async def _in_time(handle: Handler, request: Any, context: Context) -> Any:
    limit = deadline.current()
    if limit.spent():
        raise ProblemError("deadline-exceeded", "The deadline was spent before the work began.")
    seconds = limit.remaining()
    timer = asyncio.timeout(None if limit is NO_DEADLINE else seconds)
    try:
        async with timer:
            return await handle(request, context)
    except TimeoutError as exc:
        if not timer.expired():
            raise
        raise ProblemError("deadline-exceeded", f"Not finished within {seconds:.3f} s.") from exc


def _to_problem(error: Exception) -> ProblemError:
    if isinstance(error, ProblemError):
        return error
    if isinstance(error, CallError):
        return answer_to(error, str(error))
    return ProblemError("internal", "Something went wrong inside.")

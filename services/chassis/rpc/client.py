"""The gRPC client of one edge: every call goes through the edge's call seam."""

import asyncio
import time
from collections.abc import Awaitable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, Protocol, TypeVar

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from opentelemetry.propagate import inject
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from observability import semconv
from observability.telemetry import Telemetry
from services.chassis.calls import CallSeam, error_type
from services.chassis.errors import PeerUnavailableError
from services.chassis.principal import Principal
from services.chassis.resilience.attempt import Attempt
from services.chassis.resilience.fallback import Degraded, Fallback
from services.chassis.resilience.outcome import Outcome, of_error
from services.chassis.rpc.status import from_rpc_error

Request = TypeVar("Request")
Response = TypeVar("Response")
Instead = TypeVar("Instead")
Request_contra = TypeVar("Request_contra", contravariant=True)
Response_co = TypeVar("Response_co", covariant=True)

_OPTIONS = [
    ("grpc.enable_retries", 0),  # retries are the seam's: gRPC's own are invisible in traces
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 300),  # by default it grows to minutes, and so would recovery
    ("grpc.keepalive_time_ms", 5_000),
    ("grpc.keepalive_timeout_ms", 2_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.enable_http_proxy", 0),
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.lb_policy_name", "round_robin"),
    ("grpc.max_metadata_size", 64 << 10),  # a refusal may name many fields
    ("grpc.absolute_max_metadata_size", 64 << 10),
]


class Method(Protocol[Request_contra, Response_co]):
    """A stub's method, such as `PaymentsStub(channel).Authorize`."""

    def __call__(
        self, request: Request_contra, /, *, timeout: float | None = None, metadata: Any = None
    ) -> Awaitable[Response_co]: ...


class RpcClient:
    """A component. `channel` is what stubs are made on; `service` is the peer's full service name."""

    def __init__(self, service: str, targets: Sequence[str], seam: CallSeam, telemetry: Telemetry) -> None:
        self.name = f"grpc client {seam.edge}"
        self._service, self._seam, self._telemetry = service, seam, telemetry
        self._server = _server(targets)
        self.channel = grpc.aio.insecure_channel(_address(targets), options=_OPTIONS)
        # A channel of its own: one that looked for the peer before it was there fails calls until it looks again.
        self._asking = grpc.aio.insecure_channel(_address(targets), options=_OPTIONS)
        self._health: Any = health_pb2_grpc.HealthStub(self._asking)  # its types are those of the blocking API

    async def start(self) -> None:
        """Connects when first needed: a peer that is away at start is no reason not to start."""

    async def drain(self) -> None:
        """Nothing of its own is in flight: the servers before it have drained."""

    async def stop(self) -> None:
        await self._asking.close()
        await self.channel.close()

    async def check(self) -> None:
        """Raises PeerUnavailableError when the peer does not say that it is SERVING. No attempt: it is not counted."""
        asked = health_pb2.HealthCheckRequest(service=self._service)
        try:
            status = (await self._health.Check(asked)).status
        except grpc.aio.AioRpcError as exc:
            raise PeerUnavailableError(self._seam.edge, "check", f"{exc.code().name}: {exc.details()}") from exc
        if status != health_pb2.HealthCheckResponse.SERVING:
            raise PeerUnavailableError(self._seam.edge, "check", "it says that it does not serve")

    async def call(
        self,
        operation: str,
        method: Method[Request, Response],
        request: Request,
        *,
        idempotent: bool,
        principal: Principal | None = None,
    ) -> Response:
        """Calls `method`, whose short name is `operation`, under the edge's policies.

        Raises: ProblemError with the peer's own problem; CallError when no usable answer came.
        """
        attempt = partial(self._attempt, operation, method, request, principal)
        return await self._seam.call(operation, attempt, idempotent=idempotent)

    async def call_or(
        self,
        operation: str,
        method: Method[Request, Response],
        request: Request,
        fallback: Fallback[Instead],
        *,
        idempotent: bool,
        principal: Principal | None = None,
    ) -> Response | Degraded[Instead]:
        """As `call`; but where there is no answer, what `fallback` gives instead, if anything, and if it is in force."""
        attempt = partial(self._attempt, operation, method, request, principal)
        return await self._seam.call_or(operation, attempt, fallback, idempotent=idempotent)

    async def _attempt(
        self,
        operation: str,
        method: Method[Request, Response],
        request: Request,
        principal: Principal | None,
        attempt: Attempt,
    ) -> Response:
        full, started = f"{self._service}/{operation}", time.perf_counter()
        code, failure = "UNKNOWN", ""
        with self._span(full, attempt) as span:
            try:
                metadata = _metadata(principal)
                response = await method(request, timeout=attempt.timeout, metadata=metadata)
                code = "OK"
                return response  # noqa: TRY300  # no `else`: the metric is taken below all the same
            except grpc.aio.AioRpcError as exc:
                code = exc.code().name
                error = from_rpc_error(exc, self._seam.edge, operation, self._seam.catalogue, attempt)
                failure = self._failed(span, error)
                raise error from exc
            except asyncio.CancelledError:
                code = "DEADLINE_EXCEEDED" if attempt.cut_off() else "CANCELLED"
                spent = attempt.gives_up_with if attempt.cut_off() else None
                failure = error_type(asyncio.CancelledError, spent)
                if spent:
                    _mark(span, "no answer in time", failure)
                raise
            finally:
                span.set_attribute(semconv.RPC_RESPONSE_STATUS_CODE, code)
                labels = (full, self._seam.edge.callee, code, failure)
                seconds = time.perf_counter() - started
                self._telemetry.metrics.observe(semconv.RPC_CLIENT_CALL_DURATION, seconds, *labels)

    def _span(self, full: str, attempt: Attempt) -> AbstractContextManager[Span]:
        return self._telemetry.tracer.start_as_current_span(
            full,
            kind=SpanKind.CLIENT,
            attributes={
                semconv.RPC_SYSTEM_NAME: semconv.RPC_SYSTEM_GRPC,
                semconv.RPC_METHOD: full,
                semconv.CALLEE: self._seam.edge.callee,
                semconv.ATTEMPT: attempt.number,
                **self._server,
            },
            record_exception=False,
            set_status_on_exception=False,
        )

    def _failed(self, span: Span, error: Exception) -> str:
        """The attempt's `error.type`; empty for a refusal, which is an answer."""
        if of_error(error, self._seam.catalogue) is not Outcome.FAILURE:
            return ""
        failure = error_type(type(error), None)
        _mark(span, str(error), failure)
        return failure


def _mark(span: Span, reason: str, failure: str) -> None:
    span.set_status(Status(StatusCode.ERROR, reason))
    span.set_attribute(semconv.ERROR_TYPE, failure)


def _server(targets: Sequence[str]) -> dict[str, str | int]:
    """The peer's address as attributes; none for several targets, of which gRPC does not tell which it took."""
    host, _, port = targets[0].rpartition(":")
    if len(targets) > 1 or not port.isdecimal():
        return {}
    return {semconv.SERVER_ADDRESS: host.strip("[]"), semconv.SERVER_PORT: int(port)}


def _metadata(principal: Principal | None) -> tuple[tuple[str, str], ...]:
    carrier = principal.as_metadata() if principal else {}
    inject(carrier)
    return tuple(carrier.items())


def _address(targets: Sequence[str]) -> str:
    """Replicas given as numbers share one channel, which takes them in turn and skips the dead; a name is resolved."""
    if all(each.rsplit(":", 1)[0].replace(".", "").isdigit() for each in targets):
        return "ipv4:" + ",".join(targets)
    if len(targets) == 1:
        return f"dns:///{targets[0]}"
    raise ValueError(f"several targets must be given as IPv4 addresses, not {', '.join(targets)}")

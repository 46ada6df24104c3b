"""The gateway's pipeline: what every request passes, in this order.

Outside of tracing, because tracing would believe what it reads:
  StripHeaders     whatever only the inside may say
  ForeignBaggage   baggage is dropped and counted, but for what scopes faults, from those who may inject them
  ForeignTrace     a traceparent is continued for those who may, else set aside to be linked
Then the span begins, the trace id is put on the answer, the request is measured, errors become problem documents
(`services.chassis.http.app`), and inside of that:
  BodyLimit        a body that is too large is refused
  Authentication   the principal is found out
  BodyInTime       the body is read, and refused if it takes too long to arrive
  DeadlineGate     the request gets its deadline
  LoadShedding     it is refused while as many are being served as can be
  HttpFaults       where a fault is in force, it does its harm (`services.chassis.faults`)
and then the routes.
"""

from collections.abc import Callable
from dataclasses import dataclass

from opentelemetry import trace
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

from observability import semconv
from observability.metrics import Instruments
from services.chassis import principal
from services.chassis.admission import AdmissionControl
from services.chassis.http.asgi import headers_of
from services.chassis.http.body import BodyInTime
from services.chassis.http.middleware import BodyLimit, DeadlineGate, ForeignTrace, StripHeaders
from services.chassis.http.shedding import LoadShedding
from services.contracts.scopes import FAULTS_INJECT, TRACES_CONTINUE
from services.gateway.api_keys import ApiKeyAuthenticator
from services.gateway.baggage import ForeignBaggage
from services.gateway.ports import Authenticator

INTERNAL_HEADERS = frozenset(
    {
        semconv.HEADER_GRPC_TIMEOUT,
        principal.USER_ID,
        principal.CLIENT_ID,
        principal.SCOPES,
    }
)

OPEN_PATHS = frozenset({"/api/v1/openapi.json", "/api/v1/docs"})
"""Paths of the API that need no key."""


@dataclass(frozen=True)
class BodyRules:
    """How large a request's body may be, in bytes, and how long it may take to arrive, in seconds."""

    max_bytes: int
    timeout: float


def steps(
    authenticator: Authenticator, body: BodyRules, timeout: float, admission: AdmissionControl
) -> list[Middleware]:
    """The steps inside of the span, outermost first; `timeout` in seconds, of a request whose body is there."""
    return [
        Middleware(BodyLimit, max_bytes=body.max_bytes),
        Middleware(Authentication, authenticator=authenticator),
        Middleware(BodyInTime, seconds=body.timeout),
        Middleware(DeadlineGate, cap=timeout),
        Middleware(LoadShedding, admission=admission),
    ]


def outside(app: ASGIApp, keys: ApiKeyAuthenticator, metrics: Instruments) -> ASGIApp:
    """`app` with the steps that come before its span."""

    def may(scope: str) -> Callable[[Headers], bool]:
        def asked(headers: Headers) -> bool:
            found = keys.find(headers)
            return found is not None and found.may(scope)

        return asked

    traced = ForeignTrace(app, may(TRACES_CONTINUE))
    return StripHeaders(ForeignBaggage(traced, may(FAULTS_INJECT), metrics), INTERNAL_HEADERS)


class Authentication:
    """Finds out who is asking and leaves it in the request's state as `principal`."""

    def __init__(self, app: ASGIApp, authenticator: Authenticator) -> None:
        self._app, self._authenticator = app, authenticator

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _needs_key(scope["path"]):
            found = await self._authenticator.authenticate(headers_of(scope))
            scope.setdefault("state", {})["principal"] = found
            trace.get_current_span().set_attributes(
                {semconv.USER_ID: found.user_id, semconv.CLIENT_ID: found.client_id}
            )
        await self._app(scope, receive, send)


def _needs_key(path: str) -> bool:
    return path.startswith("/api/") and path not in OPEN_PATHS

"""The control listener's application: what may change a running process, behind a token."""

import hmac
import logging
from collections.abc import Sequence
from dataclasses import asdict

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from services.chassis.calls import CallSeam
from services.chassis.http.asgi import headers_of

log = logging.getLogger(__name__)


class TokenGate:
    """Refuses whoever does not bear the token, and logs it."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app, self._expected = app, f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._bears(scope):
            await self._app(scope, receive, send)
            return
        log.warning("control request refused: wrong or no token", extra={"path": scope["path"]})
        answer = JSONResponse({"detail": "a bearer token is needed"}, 401, headers={"WWW-Authenticate": "Bearer"})
        await answer(scope, receive, send)

    def _bears(self, scope: Scope) -> bool:
        return hmac.compare_digest(headers_of(scope).get("authorization", "").encode(), self._expected)


def create_app(token: str, seams: Sequence[CallSeam]) -> Starlette:
    """`GET /policies`: each outbound edge and the policies in force on it."""

    async def policies(_: Request) -> Response:
        return JSONResponse({str(each.edge): {"kind": each.edge.kind, **asdict(each.policy)} for each in seams})

    return Starlette(routes=[Route("/policies", policies)], middleware=[Middleware(TokenGate, token=token)])

"""The control listener's application: what may change a running process, behind a token.

What there is to change brings its routes; see `policies_api`.
"""

import hmac
import logging
from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

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


def create_app(token: str, routes: Sequence[BaseRoute]) -> Starlette:
    """The application that serves `routes` to whoever bears `token`."""
    return Starlette(routes=routes, middleware=[Middleware(TokenGate, token=token)])

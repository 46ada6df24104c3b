"""What a listener refuses by itself, before there is a request or whatever the request is.

The refusal travels through the application in its scope, so that it is traced, measured and said in the application's
own form like any other.
"""

from dataclasses import dataclass
from http import HTTPStatus

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from services.chassis.errors import ProblemError

SCOPE_KEY = "faultline.refusal"


@dataclass(frozen=True)
class Refusal:
    """A row of the error catalogue, with its status for applications that have no catalogue."""

    status: int
    slug: str
    detail: str
    retry_after: float | None = None

    def problem(self) -> ProblemError:
        """As it is raised inside of an application."""
        return ProblemError(self.slug, self.detail, retry_after=self.retry_after)


UNREADABLE = Refusal(HTTPStatus.BAD_REQUEST, "malformed-request", "What was sent is not HTTP/1.1 as RFC 9112 has it.")
HEAD_TOO_LARGE = Refusal(
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    "headers-too-large",
    "The request's line and headers are larger, or the headers more, than what is read.",
)
HEAD_TOO_SLOW = Refusal(HTTPStatus.REQUEST_TIMEOUT, "request-too-slow", "The headers did not arrive in time.")
CROWDED = Refusal(
    HTTPStatus.SERVICE_UNAVAILABLE, "service-unavailable", "There are too many connections. Try again.", retry_after=1.0
)


class Refusals:
    """Raises what the listener refused as a ProblemError. Goes where those are answered."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if refusal := scope.get(SCOPE_KEY):
            raise refusal.problem()
        await self._app(scope, receive, send)


class PlainRefusals:
    """Answers what the listener refused in plain text. For applications without problem documents."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = scope.get(SCOPE_KEY)
        answer = PlainTextResponse(refusal.detail, refusal.status) if refusal else self._app
        await answer(scope, receive, send)

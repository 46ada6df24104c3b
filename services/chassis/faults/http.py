"""Faults in requests served over HTTP: an ASGI step, the innermost one.

Within the span, the metrics, the authentication and the deadline, so that what it does is seen as the server's own
doing, touches nobody who may not ask, and is cut off by the deadline; around every route.
"""

from collections.abc import Mapping, Sequence

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.chassis.errors import ProblemError
from services.chassis.faults.injector import Injector
from services.chassis.faults.kinds import Kind
from services.chassis.faults.parameters import HttpError, SlowBody
from services.chassis.faults.store import Armed
from services.chassis.faults.waits import pause
from services.chassis.http.routes import route_of

DETAIL = "An injected fault."
_PIECES = 10


class HttpFaults:
    """An ASGI step. `slugs`: which problem is answered for an injected status."""

    def __init__(self, app: ASGIApp, injector: Injector, slugs: Mapping[int, str]) -> None:
        self._app, self._injector, self._slugs = app, injector, slugs

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._injector and scope["type"] == "http":
            send = await self._hurt(scope, send)
        await self._app(scope, receive, send)

    async def _hurt(self, scope: Scope, send: Send) -> Send:
        """Waits, raises, or returns a `send` that harms the answer."""
        faults = await self._injector.delay(f"{scope['method']} {route_of(scope)}")
        self._raise_error(faults)
        for each in faults:
            if isinstance(each.fault.parameters, SlowBody):
                send = slow(send, each, each.fault.parameters.ms / 1000)
            elif each.fault.kind is Kind.MALFORMED_BODY:
                send = malformed(send)
        return send

    def _raise_error(self, faults: Sequence[Armed]) -> None:
        for each in faults:
            if isinstance(each.fault.parameters, HttpError):
                raise ProblemError(self._slugs[each.fault.parameters.status], DETAIL)


def slow(send: Send, armed: Armed, seconds: float) -> Send:
    """A `send` that gives each part of the body in ten pieces, over so many seconds, or until the fault is over."""

    async def send_slowly(message: Message) -> None:
        body = message.get("body", b"")
        if message["type"] != "http.response.body" or not body:
            await send(message)
            return
        size = -(-len(body) // _PIECES)
        pieces = [body[at : at + size] for at in range(0, len(body), size)]
        for number, piece in enumerate(pieces):
            await pause(armed, seconds / len(pieces))
            more = number < len(pieces) - 1 or message.get("more_body", False)
            await send({"type": "http.response.body", "body": piece, "more_body": more})

    return send_slowly


def malformed(send: Send) -> Send:
    """A `send` in which each part of the body is as long as it was, and its second half no text in any encoding we use."""

    async def send_malformed(message: Message) -> None:
        if message["type"] == "http.response.body" and (body := message.get("body", b"")):
            good = body[: len(body) // 2]
            message = {**message, "body": good + b"\xff" * (len(body) - len(good))}
        await send(message)

    return send_malformed

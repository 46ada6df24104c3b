"""Reading a request's body within a time of its own."""

import asyncio
from collections import deque

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.chassis.errors import ProblemError


class BodyInTime:
    """Reads the whole body before the request goes on, and refuses one that takes longer than `seconds`.

    Goes inside of `BodyLimit`, which bounds what is kept here, and outside of the deadline: how long a client takes to
    send is not the system's time, and must not look like its slowness.
    """

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self._app, self._seconds = app, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        messages = await self._whole(receive)

        async def receive_again() -> Message:
            return messages.popleft() if messages else await receive()

        await self._app(scope, receive_again, send)

    async def _whole(self, receive: Receive) -> deque[Message]:
        """All of the body's messages, or those up to the client's departure."""
        messages: deque[Message] = deque()
        try:
            async with asyncio.timeout(self._seconds):
                while not messages or messages[-1].get("more_body", False):
                    messages.append(await receive())
        except TimeoutError as exc:
            raise ProblemError("request-too-slow", f"The body did not arrive within {self._seconds:g} s.") from exc
        return messages

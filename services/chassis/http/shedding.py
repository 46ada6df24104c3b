"""Load shedding as a step of the HTTP pipeline."""

from starlette.types import ASGIApp, Receive, Scope, Send

from services.chassis.admission import AdmissionControl


class LoadShedding:
    """Refuses requests with `overloaded` while as many are being served as can be.

    Goes inside of the deadline, which so bounds the wait for a turn as well, and inside of what is cheap and may refuse;
    whatever is inside of it is the work. The listeners for health and control are others, and are never shed.
    """

    def __init__(self, app: ASGIApp, admission: AdmissionControl) -> None:
        self._app, self._admission = app, admission

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        async with self._admission.admitted():
            await self._app(scope, receive, send)

"""Baggage from outside: taken away, as it would travel to every peer, but for the entries that scope faults.

A caller that may inject faults sends W3C baggage (https://www.w3.org/TR/baggage/) whose keys begin with `faultline.`; these
are kept, and travel with the request through every protocol. All else is taken, and the request is counted.
"""

from collections.abc import Callable
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from observability import semconv
from observability.metrics import Instruments
from services.chassis.http.asgi import headers_of

PREFIX: Final = "faultline."

_HEADER: Final = semconv.HEADER_BAGGAGE.encode()


class ForeignBaggage:
    """An ASGI step, outside of tracing, which would believe what it reads. `may_inject` is asked with the headers."""

    def __init__(self, app: ASGIApp, may_inject: Callable[[Headers], bool], metrics: Instruments) -> None:
        self._app, self._may_inject, self._metrics = app, may_inject, metrics
        metrics.zero(semconv.BAGGAGE_STRIPPED)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and any(name == _HEADER for name, _ in scope["headers"]):
            scope = self._stripped(scope)
        await self._app(scope, receive, send)

    def _stripped(self, scope: Scope) -> Scope:
        headers = headers_of(scope)
        lines = headers.getlist(_HEADER.decode())
        entries = [entry for line in lines for each in line.split(",") if (entry := each.strip())]
        kept = [each for each in entries if each.startswith(PREFIX)] if self._may_inject(headers) else []
        if len(kept) < len(entries):
            self._metrics.add(semconv.BAGGAGE_STRIPPED)
        others = [(name, value) for name, value in scope["headers"] if name != _HEADER]
        return {**scope, "headers": [*others, *([(_HEADER, ",".join(kept).encode("latin-1"))] if kept else [])]}

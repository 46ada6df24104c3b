"""The admin listener's application: read-only, for whoever watches the process.

`/metrics` in the Prometheus or OpenMetrics format, `/healthz` (is the process alive, how late is its
event loop) and `/readyz` (is it of use: started, not draining, its dependencies there).
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from observability import semconv
from observability.telemetry import Telemetry
from services.chassis.component import Lifecycle
from services.chassis.errors import FaultlineError

log = logging.getLogger(__name__)

Check = Callable[[], Awaitable[None]]
"""Returns when the dependency can be used; raises a FaultlineError when it can't."""

_CHECK_TIMEOUT = 1.0
_LAG_INTERVAL = 0.25


class LoopLag:
    """How late `loop` runs what is due, in seconds; measured from another thread, so that a blocked loop shows."""

    def __init__(self, loop: asyncio.AbstractEventLoop, clock: Callable[[], float] = time.monotonic) -> None:
        self._loop, self._clock = loop, clock
        self._asked: float | None = None
        self._last = 0.0

    def value(self) -> float:
        """The last measured lag, or the one still growing if that is longer."""
        asked = self._asked
        return max(self._last, self._clock() - asked) if asked is not None else self._last

    async def watch(self) -> None:
        """Asks again and again; runs in the watching thread's own loop."""
        while True:
            if self._asked is None and not self._loop.is_closed():
                self._asked = self._clock()
                self._loop.call_soon_threadsafe(self._answered)
            await asyncio.sleep(_LAG_INTERVAL)

    def _answered(self) -> None:
        if self._asked is not None:
            self._last, self._asked = self._clock() - self._asked, None


def create_app(
    telemetry: Telemetry,
    lifecycle: Lifecycle,
    loop: asyncio.AbstractEventLoop,
    lag: LoopLag,
    checks: Mapping[str, Check],
) -> Starlette:
    """The application; it runs beside `loop`, on which the service and its `checks` run."""

    async def metrics(request: Request) -> Response:
        telemetry.metrics.set(semconv.EVENT_LOOP_LAG, lag.value())
        body, media_type = telemetry.metrics.exposition(request.headers.get("accept", ""))
        return Response(body, headers={"content-type": media_type})

    async def healthz(_: Request) -> Response:
        return JSONResponse({"status": "alive", "event_loop_lag_s": round(lag.value(), 6)})

    async def readyz(_: Request) -> Response:
        found = {"running": "ok" if lifecycle.running else "starting or draining"}
        outcomes = await asyncio.gather(*(_outcome(loop, name, check) for name, check in checks.items()))
        found |= dict(zip(checks, outcomes, strict=True))
        ready = all(each == "ok" for each in found.values())
        return JSONResponse({"ready": ready, "checks": found}, 200 if ready else 503)

    return Starlette(routes=[Route("/metrics", metrics), Route("/healthz", healthz), Route("/readyz", readyz)])


async def _outcome(loop: asyncio.AbstractEventLoop, name: str, check: Check) -> str:
    async def run() -> None:
        await check()

    task = asyncio.wrap_future(asyncio.run_coroutine_threadsafe(run(), loop))
    try:
        await asyncio.wait_for(task, _CHECK_TIMEOUT)
    except TimeoutError:
        return f"no answer in {_CHECK_TIMEOUT} s"
    except FaultlineError as error:
        log.warning("readiness check failed", extra={"check": name, "error": str(error)})
        return str(error)
    return "ok"

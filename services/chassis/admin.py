"""The admin listener's application: read-only, for whoever watches the process.

`/metrics` in the Prometheus or OpenMetrics format, `/healthz` (is the process alive, how late is its
event loop) and `/readyz` (is it of use: started, not draining, its dependencies there; and how it finds its peers,
which has no say in that).
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
from observability.unsampled import unsampled
from services.chassis.component import Lifecycle
from services.chassis.errors import FaultlineError

log = logging.getLogger(__name__)

Check = Callable[[], Awaitable[None]]
"""Returns when the dependency can be used; raises a FaultlineError when it can't."""

_CHECK_TIMEOUT = 1.0
_PEER_TIMEOUT = 0.25  # far less than any prober waits: a peer that hangs must not make us look as if we did
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
    peers: Mapping[str, Check] | None = None,
) -> Starlette:
    """The application; it runs beside `loop`, on which the service, its `checks` and those of its `peers` run."""

    async def metrics(request: Request) -> Response:
        telemetry.metrics.set(semconv.EVENT_LOOP_LAG, lag.value())
        body, media_type = telemetry.metrics.exposition(request.headers.get("accept", ""))
        return Response(body, headers={"content-type": media_type})

    async def healthz(_: Request) -> Response:
        return JSONResponse({"status": "alive", "event_loop_lag_s": round(lag.value(), 6)})

    async def readyz(_: Request) -> Response:
        running = {"running": "ok" if lifecycle.running else "starting or draining"}
        own, others = await asyncio.gather(
            _outcomes(loop, checks, _CHECK_TIMEOUT), _outcomes(loop, peers or {}, _PEER_TIMEOUT)
        )
        _log_failed(own)
        found = running | own
        ready = all(each == "ok" for each in found.values())
        told = {"ready": ready, "checks": found} | ({"peers": others} if others else {})
        return JSONResponse(told, 200 if ready else 503)

    return Starlette(routes=[Route("/metrics", metrics), Route("/healthz", healthz), Route("/readyz", readyz)])


async def _outcomes(loop: asyncio.AbstractEventLoop, checks: Mapping[str, Check], seconds: float) -> dict[str, str]:
    """Name → `ok`, or why not."""
    outcomes = await asyncio.gather(*(_outcome(loop, check, seconds) for check in checks.values()))
    return dict(zip(checks, outcomes, strict=True))


async def _outcome(loop: asyncio.AbstractEventLoop, check: Check, seconds: float) -> str:
    async def run() -> None:
        with unsampled():
            await check()

    task = asyncio.wrap_future(asyncio.run_coroutine_threadsafe(run(), loop))
    try:
        await asyncio.wait_for(task, seconds)
    except TimeoutError:
        return f"no answer in {seconds} s"
    except FaultlineError as error:
        return str(error)
    return "ok"


def _log_failed(outcomes: Mapping[str, str]) -> None:
    for name, outcome in outcomes.items():
        if outcome != "ok":
            log.warning("readiness check failed", extra={"check": name, "error": outcome})

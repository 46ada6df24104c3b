"""The admin listener's application: read-only, for whoever watches the process.

`/metrics` in the Prometheus or OpenMetrics format, `/healthz` (is the process alive, how late is its event loop) and
`/readyz` (started, and not draining). It runs in a thread of its own, beside the loop it watches.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from observability import semconv
from observability.metrics import Instruments

_LAG_LIMIT_S: Final = 1.0


def create_app(metrics: Instruments, loop: asyncio.AbstractEventLoop, running: Callable[[], bool]) -> Starlette:
    """The application; `running` says whether the process has started and does not drain yet."""

    async def exposition(request: Request) -> Response:
        metrics.set(semconv.EVENT_LOOP_LAG, await loop_lag(loop))
        body, media_type = metrics.exposition(request.headers.get("accept", ""))
        return Response(body, headers={"content-type": media_type})

    async def healthz(_: Request) -> Response:
        return JSONResponse({"status": "alive", "event_loop_lag_s": round(await loop_lag(loop), 6)})

    async def readyz(_: Request) -> Response:
        ready = running()
        checks = {"running": "ok" if ready else "starting or draining"}
        return JSONResponse({"ready": ready, "checks": checks}, 200 if ready else 503)

    return Starlette(routes=[Route("/metrics", exposition), Route("/healthz", healthz), Route("/readyz", readyz)])


async def loop_lag(loop: asyncio.AbstractEventLoop) -> float:
    """Seconds until `loop`, which runs in another thread, gets round to a task; a second at most."""
    asked = time.perf_counter()
    answered = asyncio.wrap_future(asyncio.run_coroutine_threadsafe(_nothing(), loop))
    await asyncio.wait([answered], timeout=_LAG_LIMIT_S)
    return time.perf_counter() - asked


async def _nothing() -> None:
    pass

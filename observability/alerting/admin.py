"""The admin listener: read-only, for whoever watches the process.

`/metrics` in the Prometheus or OpenMetrics format, `/healthz` (is the process alive, how late is its event loop) and
`/readyz` (started, and not draining). It runs in a thread with a loop of its own, beside the loop it watches.
"""

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Final

from aiohttp import web

from observability import semconv
from observability.metrics import Instruments
from observability.sockets import bind

_LAG_LIMIT_S: Final = 1.0
_END_S: Final = 2.0
SETTING: Final = "ADMIN_PORT"


class Admin:
    """`running` says whether the process has started and does not drain yet. `port` is the real one once started."""

    def __init__(self, metrics: Instruments, running: Callable[[], bool], host: str, port: int) -> None:
        self.port = port
        self._metrics, self._running, self._host = metrics, running, host
        self._watched = asyncio.get_running_loop()
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name=SETTING, daemon=True)

    async def start(self) -> None:
        """Raises PortTakenError, AddressError."""
        self._socket = bind(SETTING, self._host, self.port)
        self._socket.listen()
        self.port = self._socket.getsockname()[1]
        self._thread.start()

    async def end(self) -> None:
        """Ends at once: what it answers, it answers at once."""
        if not self._thread.is_alive():
            return
        self._loop.call_soon_threadsafe(self._stop.set)
        await asyncio.to_thread(self._thread.join, _END_S)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        app = web.Application()
        app.add_routes([web.get("/healthz", self._healthz), web.get("/readyz", self._readyz)])
        app.add_routes([web.get("/metrics", self._exposition)])
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
        await runner.setup()
        await web.SockSite(runner, self._socket).start()
        await self._stop.wait()
        await runner.cleanup()

    async def _exposition(self, request: web.Request) -> web.Response:
        self._metrics.set(semconv.EVENT_LOOP_LAG, await self._lag())
        body, media_type = self._metrics.exposition(request.headers.get("Accept", ""))
        return web.Response(body=body, headers={"Content-Type": media_type})

    async def _healthz(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "alive", "event_loop_lag_s": round(await self._lag(), 6)})

    async def _readyz(self, _: web.Request) -> web.Response:
        ready = self._running()
        checks = {"running": "ok" if ready else "starting or draining"}
        return web.json_response({"ready": ready, "checks": checks}, status=200 if ready else 503)

    async def _lag(self) -> float:
        """Seconds until the watched loop gets round to a task; a second at most."""
        asked = time.perf_counter()
        answered = asyncio.wrap_future(asyncio.run_coroutine_threadsafe(_nothing(), self._watched))
        await asyncio.wait([answered], timeout=_LAG_LIMIT_S)
        return time.perf_counter() - asked


async def _nothing() -> None:
    pass

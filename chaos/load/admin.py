"""The admin listener of load that never ends: `/healthz`, `/readyz` and `/metrics`, as every process has them."""

import asyncio
import platform
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web
from prometheus_client import CollectorRegistry, ProcessCollector

from chaos.load.generator import Result
from chaos.load.outcomes import OutcomeClass
from observability import semconv
from observability.metrics import Instruments

_LAG_INTERVAL_S: Final = 0.25


class Admin:
    """What is told of the process. `ready` says whether it does what it is for."""

    def __init__(self, service: Mapping[str, str], ready: Callable[[], bool]) -> None:
        target_info = {semconv.prometheus_label(name): value for name, value in service.items()}
        registry = CollectorRegistry(target_info=target_info)
        ProcessCollector(registry=registry)
        self._metrics = Instruments(registry)
        self._metrics.set(semconv.BUILD_INFO, 1, *service.values(), platform.python_version())
        for each in OutcomeClass:
            self._metrics.zero(semconv.LOAD_REQUESTS, each.value)
        self._ready = ready
        self._lag_s = 0.0

    def count(self, result: Result) -> None:
        """For `run_load`'s `on_result`."""
        self._metrics.add(semconv.LOAD_REQUESTS, result.answer.outcome.outcome_class.value)

    @asynccontextmanager
    async def serving(self, host: str, port: int) -> AsyncIterator[int]:
        """Serves until left; gives the real port. Raises OSError when the address cannot be had."""
        app = web.Application()
        app.add_routes([web.get("/healthz", self._healthz), web.get("/readyz", self._readyz)])
        app.add_routes([web.get("/metrics", self._exposition)])
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        watching = asyncio.create_task(self._watch())
        try:
            site = web.TCPSite(runner, host, port, reuse_address=True)
            await site.start()
            yield runner.addresses[0][1]
        finally:
            watching.cancel()
            await runner.cleanup()

    async def _healthz(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "alive", "event_loop_lag_s": round(self._lag_s, 6)})

    async def _readyz(self, _: web.Request) -> web.Response:
        ready = self._ready()
        checks = {"shop": "ok" if ready else "not open yet"}
        return web.json_response({"ready": ready, "checks": checks}, status=200 if ready else 503)

    async def _exposition(self, request: web.Request) -> web.Response:
        self._metrics.set(semconv.EVENT_LOOP_LAG, self._lag_s)
        body, media_type = self._metrics.exposition(request.headers.get("Accept", ""))
        return web.Response(body=body, headers={"Content-Type": media_type})

    async def _watch(self) -> None:
        """Measures how late this loop is; while it is blocked, nobody is answered at all."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + _LAG_INTERVAL_S
            await asyncio.sleep(_LAG_INTERVAL_S)
            self._lag_s = loop.time() - due

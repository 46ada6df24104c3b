"""The composition root: what the process is made of. The only place where concrete things are chosen."""

import asyncio
import logging
import platform
from pathlib import Path
from typing import Any, Final

import aiohttp
from aiohttp import web
from prometheus_client import CollectorRegistry, ProcessCollector

from observability import semconv
from observability.alerting import http_api
from observability.alerting.admin import Admin
from observability.alerting.evaluator import Evaluator
from observability.alerting.notifications import Delivered, rfc3339
from observability.alerting.prometheus import PrometheusError, PrometheusReader
from observability.alerting.receiver import Receiver
from observability.alerting.scraper import Scraper
from observability.alerting.settings import AlertsSettings, token_in
from observability.alerting.standby import Standby
from observability.alerting.watch import watch
from observability.metrics import Instruments
from observability.sockets import bind
from observability.stack.objectives import Slo, load_all

log = logging.getLogger(__name__)

_RUNBOOKS: Final = Path(__file__).parents[2] / "docs" / "runbooks"
EMBEDDED: Final = "embedded"
PROMETHEUS: Final = "prometheus"
"""Who evaluates, as it is told."""

_TIMEOUT_SHARE: Final = 0.9  # of the scrape interval


def _instruments(settings: AlertsSettings) -> Instruments:
    target_info = {semconv.prometheus_label(name): value for name, value in settings.service.items()}
    registry = CollectorRegistry(target_info=target_info)
    ProcessCollector(registry=registry)
    instruments = Instruments(registry)
    instruments.set(semconv.BUILD_INFO, 1, *settings.service.values(), platform.python_version())
    return instruments


class Alerts:
    """The whole process. To be made inside its event loop. Raises ObjectivesError."""

    def __init__(self, settings: AlertsSettings) -> None:
        self._settings, self._running = settings, False
        self._metrics = _instruments(settings)
        self._delivered = Delivered(settings.kept_notifications)
        slo = load_all()
        self._profile = slo.profiles[settings.alerts_profile]
        self._evaluator = self._new_evaluator(slo)
        self._reader = PrometheusReader(settings.prometheus_url, slo, self._profile)
        self._standby = Standby(
            self._reader, lambda: self._new_evaluator(slo), self._metrics, self._delivered.forget_heartbeat
        )
        receiver = Receiver(self._delivered, token_in(settings.notifications_token_file), self._metrics)
        app = http_api.create_app(self.overview, receiver, settings.runbooks_folder or _RUNBOOKS)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=settings.drain_timeout_s)
        self.admin = Admin(self._metrics, lambda: self._running, settings.bind_host, settings.admin_port)
        self.http_port = settings.http_port

    def _new_evaluator(self, slo: Slo) -> Evaluator:
        return Evaluator(slo, self._profile, self._delivered.take)

    async def start(self) -> None:
        """Raises PortTakenError, AddressError."""
        await self.admin.start()
        await self._runner.setup()
        sock = bind("HTTP_PORT", self._settings.bind_host, self.http_port)
        await web.SockSite(self._runner, sock).start()
        self.http_port = sock.getsockname()[1]
        self._running = True
        log.info(
            "ready",
            extra={
                "admin_port": self.admin.port,
                "http_port": self.http_port,
                "evaluator": PROMETHEUS if self._settings.prometheus_url else EMBEDDED,
            },
        )

    async def run(self, told_to_end: asyncio.Event) -> None:
        """Returns when told to; raises what the evaluation died of, so that whoever started this begins it anew."""
        told = asyncio.create_task(told_to_end.wait())
        watching = asyncio.create_task(self._watch())
        try:
            done, _ = await asyncio.wait({told, watching}, return_when=asyncio.FIRST_COMPLETED)
            if watching in done:
                watching.result()
        finally:
            for each in (told, watching):
                each.cancel()
            await asyncio.gather(told, watching, return_exceptions=True)

    async def end(self) -> None:
        """Lets what is in flight finish; the admin listener stays until last."""
        self._running = False
        await self._runner.cleanup()
        await self.admin.end()

    async def overview(self) -> dict[str, Any]:
        """What `GET /api/alerts` answers."""
        evaluated = await self._evaluated()
        heartbeat_s = self._delivered.heartbeat_s
        return {
            **evaluated,
            "profile": self._settings.alerts_profile,
            "delivered": [each.document() for each in self._delivered.newest_first()],
            "watchdog_heard_at": None if heartbeat_s is None else rfc3339(heartbeat_s),
        }

    async def _evaluated(self) -> dict[str, Any]:
        """By whoever evaluates now, and the problem where that is not who should."""
        if not self._settings.prometheus_url:
            return {"evaluator": EMBEDDED, **_figures(self._evaluator)}
        problem = {"problem": self._standby.problem} if self._standby.problem else {}
        if acting := self._standby.acting:
            return {"evaluator": EMBEDDED, **_figures(acting), **problem}
        return {"evaluator": PROMETHEUS, **problem, **await self._asked()}

    async def _asked(self) -> dict[str, Any]:
        """What Prometheus says; when it says nothing, what is known without it, and the problem."""
        async with aiohttp.ClientSession() as session:
            try:
                objectives = await self._reader.objectives(session)
                return {"objectives": objectives, "alerts": await self._reader.alerts(session)}
            except PrometheusError as exc:
                return {"objectives": self._reader.known({}), "alerts": [], "problem": str(exc)}

    async def _watch(self) -> None:
        if self._settings.prometheus_url and not self._settings.scrape_targets:
            await asyncio.Event().wait()  # somebody else evaluates, and nobody could in his place
        interval_s = float(self._profile.scrape_interval_s)
        scraper = Scraper(
            self._settings.scrape_targets, self._evaluator.metrics, interval_s * _TIMEOUT_SHARE, self._metrics
        )
        await watch(self._standby.choose if self._settings.prometheus_url else self._always, scraper, interval_s)

    async def _always(self, _: aiohttp.ClientSession) -> Evaluator:
        return self._evaluator


def _figures(evaluator: Evaluator) -> dict[str, Any]:
    return {"objectives": evaluator.objectives(), "alerts": evaluator.alerts()}

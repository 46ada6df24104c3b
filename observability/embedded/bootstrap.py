"""The composition root: what the backend is made of. The only place where concrete things are chosen."""

import asyncio
import logging
import platform
from typing import Protocol

from prometheus_client import CollectorRegistry, ProcessCollector
from starlette.applications import Starlette

from observability import semconv
from observability.embedded import admin, forwarding, otlp_http, query_api, query_api_v3
from observability.embedded.listener import HttpListener, HttpThread
from observability.embedded.log_source import no_logs, supervisor_logs
from observability.embedded.otlp_receiver import Ingest, OtlpGrpcListener
from observability.embedded.pages import site
from observability.embedded.settings import BackendSettings
from observability.embedded.store import Bounds, MemoryTraceStore
from observability.embedded.traces_file import TracesFile
from observability.metrics import Instruments

log = logging.getLogger(__name__)


def _instruments(settings: BackendSettings) -> Instruments:
    target_info = {semconv.prometheus_label(name): value for name, value in settings.service.items()}
    registry = CollectorRegistry(target_info=target_info)
    ProcessCollector(registry=registry)
    instruments = Instruments(registry)
    instruments.set(semconv.BUILD_INFO, 1, *settings.service.values(), platform.python_version())
    return instruments


class Part(Protocol):
    """What is started with the process, and drained with it."""

    async def start(self) -> None: ...
    async def drain(self) -> None: ...


class Backend:
    """The whole process: a store, what feeds it and what reads it. To be made inside its event loop."""

    def __init__(self, settings: BackendSettings) -> None:
        """Raises TracesFileError."""
        self._settings = settings
        self._running = False
        self._started: list[Part] = []
        host, metrics = settings.bind_host, _instruments(settings)
        store = MemoryTraceStore(Bounds(settings.max_spans, settings.max_bytes))
        logs = supervisor_logs(settings.logs_control_file) if settings.logs_control_file else no_logs
        routes = [*query_api_v3.routes(store), *query_api.routes(store), *site.routes(store, logs)]
        query = Starlette(routes=routes, exception_handlers=site.HANDLERS)
        watch = admin.create_app(metrics, asyncio.get_running_loop(), lambda: self._running)
        self.admin = HttpThread(watch, "ADMIN_PORT", host, settings.admin_port)
        self.query = HttpListener(query, "QUERY_PORT", host, settings.query_port)
        endpoint = settings.forward_otlp_endpoint
        forwarding.declare(metrics)
        self._forwarder = forwarding.Forwarder(endpoint, metrics) if endpoint else None
        self._journal = None
        if settings.traces_file:
            self._journal = TracesFile(settings.traces_file, settings.traces_file_max_bytes)
        self._ingest = ingest = Ingest(store, metrics, self._forwarder, self._journal)
        self.otlp_http = HttpListener(otlp_http.create_app(ingest), "OTLP_HTTP_PORT", host, settings.otlp_http_port)
        self.otlp_grpc = OtlpGrpcListener(ingest, host, settings.otlp_grpc_port)

    async def start(self) -> None:
        """Starts the listeners, those that take spans last. Raises PortTakenError."""
        if restored := self._ingest.restore():
            log.info("restored", extra={"spans": restored})
        forwarder: list[Part] = [self._forwarder] if self._forwarder else []
        parts: list[Part] = [self.admin, self.query, *forwarder, self.otlp_http, self.otlp_grpc]
        for each in parts:
            await each.start()
            self._started.append(each)
        self._running = True
        ports = {
            "admin_port": self.admin.port,
            "query_port": self.query.port,
            "otlp_http_port": self.otlp_http.port,
            "otlp_grpc_port": self.otlp_grpc.port,
        }
        log.info("ready", extra=ports)

    async def end(self) -> None:
        """Lets what is in flight finish, within the drain timeout; the admin listener stays until last."""
        self._running = False
        try:
            async with asyncio.timeout(self._settings.drain_timeout_s):
                for each in reversed(self._started):
                    await each.drain()
        except TimeoutError:
            log.warning("drain cut off; what was in flight is lost", extra={"after_s": self._settings.drain_timeout_s})
        if self._journal is not None:
            self._journal.close()

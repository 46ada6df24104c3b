"""Runs a service: settings, telemetry, components, and an orderly end."""

import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from observability import garbage
from observability import telemetry as observability
from observability.telemetry import Telemetry, TelemetryConfig
from observability.version import VERSION
from services.chassis import admin, control, experiments, lifeline, policies_api
from services.chassis.admin import Check, LoopLag
from services.chassis.calls import CallSeam
from services.chassis.component import Component, Lifecycle
from services.chassis.errors import FaultlineError, SettingsError
from services.chassis.faults import api as faults_api
from services.chassis.faults.site import FaultSite
from services.chassis.http.refusal import PlainRefusals
from services.chassis.http.server import HttpServer
from services.chassis.listener import EX_UNAVAILABLE
from services.chassis.policy_memory import PolicyMemory
from services.chassis.settings import EX_CONFIG, ServiceSettings, load
from services.chassis.side_thread import SideThread

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Service:
    """What a composition root returns: components in starting order, readiness checks, outbound edges, its faults.

    `peers` are checks too; `/readyz` tells what they find, and is not the less ready for it.
    """

    components: Sequence[Component]
    checks: Mapping[str, Check] = field(default_factory=dict)
    peers: Mapping[str, Check] = field(default_factory=dict)
    seams: Sequence[CallSeam] = ()
    faults: FaultSite | None = None


S = TypeVar("S", bound=ServiceSettings)


def main(name: str, settings_class: type[S], bootstrap: Callable[[S, Telemetry], Service]) -> None:
    """Runs the service `name` until SIGTERM, SIGINT or a cut lifeline.

    Exits with 78 when settings are wrong, 69 when a port is taken or what it needs at start is away, 0
    after an orderly end.
    """
    settings = load(settings_class)
    telemetry = observability.start(_telemetry_config(name, settings))
    try:
        asyncio.run(_run(settings, telemetry, bootstrap))
    except FaultlineError as exc:
        print(f"{name}: {exc}", file=sys.stderr)
        raise SystemExit(EX_CONFIG if isinstance(exc, SettingsError) else EX_UNAVAILABLE) from exc
    finally:
        telemetry.shutdown()


def _telemetry_config(name: str, settings: ServiceSettings) -> TelemetryConfig:
    return TelemetryConfig(
        service_name=name,
        service_version=VERSION,
        service_instance_id=settings.service_instance_id or f"{name}-1",
        otlp_endpoint=settings.otel_exporter_otlp_endpoint or None,
        sample_ratio=settings.trace_sample_ratio,
        log_level=settings.log_level,
        secrets=settings.secrets,
    )


async def _run(settings: S, telemetry: Telemetry, bootstrap: Callable[[S, Telemetry], Service]) -> None:
    told_to_end = _end_on_signals(settings)
    service = bootstrap(settings, telemetry)
    components: list[Component] = []
    lifecycle = Lifecycle(components, settings.drain_timeout_s)
    components += [_side_listeners(settings, telemetry, service, lifecycle), *service.components]
    try:
        await lifecycle.start()
        garbage.settle()
        log.info("ready")
        await told_to_end.wait()
        log.info("draining")
    finally:
        await lifecycle.end()


def _end_on_signals(settings: ServiceSettings) -> asyncio.Event:
    loop, told_to_end = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told_to_end.set)
    if settings.lifeline_fd is not None:
        grace = settings.drain_timeout_s + 2.0
        lifeline.watch(settings.lifeline_fd, partial(_from_thread, loop, told_to_end.set), grace)
    return told_to_end


def _from_thread(loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> None:
    with contextlib.suppress(RuntimeError):  # the loop is closed: the process is ending already
        loop.call_soon_threadsafe(callback)


def _side_listeners(
    settings: ServiceSettings, telemetry: Telemetry, service: Service, lifecycle: Lifecycle
) -> SideThread:
    loop = asyncio.get_running_loop()
    lag = LoopLag(loop)
    admin_app = admin.create_app(telemetry, lifecycle, loop, lag, service.checks, service.peers)
    policies = PolicyMemory(settings.policies_file, service.seams)
    policies.restore()  # before anything is started, so that no call goes out under another policy
    routes, watches = policies_api.routes(service.seams, policies.keep), [lag.watch]
    routes += experiments.routes(experiments.Experiments(telemetry.metrics))
    if service.faults:
        service.faults.run_on(loop)
        routes += faults_api.routes(service.faults)
        watches.append(service.faults.watch)
    control_app = control.create_app(settings.control_token.get_secret_value(), routes)
    listeners = [
        HttpServer("admin", PlainRefusals(admin_app), settings.bind_host, settings.admin_port, "ADMIN_PORT"),
        HttpServer("control", PlainRefusals(control_app), settings.control_host, settings.control_port, "CONTROL_PORT"),
    ]
    return SideThread("admin and control", listeners, watches)

"""Starts the telemetry of one process: `telemetry = start(TelemetryConfig(...))`, and `telemetry.shutdown()` at its end."""

import os
import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TextIO

from opentelemetry.metrics import MeterProvider, NoOpMeterProvider
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter
from opentelemetry.sdk.version import __version__ as sdk_version
from opentelemetry.trace import Tracer
from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector

from observability import logs, semconv, tracing
from observability.metrics import Instruments
from observability.redaction import Redactor

TRACER_NAME: Final = "faultline"


@dataclass(frozen=True)
class TelemetryConfig:
    """Who this process is, and where its telemetry goes.

    `otlp_endpoint` is `http://host:port` of an OTLP/gRPC collector; None or empty exports nothing. `sample_ratio` is 0 to 1.
    `log_level` is one of logging's names. `secrets` are exact values that must never leave, such as a control token.
    """

    service_name: str
    service_version: str
    service_instance_id: str
    otlp_endpoint: str | None
    sample_ratio: float = 1.0
    log_level: str = "INFO"
    secrets: frozenset[str] = field(default=frozenset(), repr=False)

    @property
    def service(self) -> dict[str, str]:
        """The attributes that tell this process from every other."""
        return {
            semconv.SERVICE_NAME: self.service_name,
            semconv.SERVICE_VERSION: self.service_version,
            semconv.SERVICE_INSTANCE_ID: self.service_instance_id,
        }

    @property
    def resource(self) -> dict[str, str]:
        """The attributes on every span and on `target_info`."""
        return {
            **self.service,
            semconv.TELEMETRY_SDK_NAME: "opentelemetry",
            semconv.TELEMETRY_SDK_LANGUAGE: "python",
            semconv.TELEMETRY_SDK_VERSION: sdk_version,
        }


class Telemetry:
    """What the rest of the process is given: `tracer` and `metrics` for its own, the providers for instrumentations."""

    def __init__(self, tracer_provider: TracerProvider, metrics: Instruments, stop_logs: Callable[[], None]) -> None:
        self.tracer_provider = tracer_provider
        self.tracer: Tracer = tracer_provider.get_tracer(TRACER_NAME)
        self.metrics = metrics
        # The stock instrumentations also measure; our metrics are Prometheus', so what they measure goes nowhere.
        self.meter_provider: MeterProvider = NoOpMeterProvider()
        self._stop_logs = stop_logs

    def shutdown(self) -> None:
        """Send what waits and stop, within 2 s whatever the collector does; blocks, and ends logging: call it last."""
        self.tracer_provider.shutdown()
        self._stop_logs()


def start(
    config: TelemetryConfig, *, log_stream: TextIO | None = None, span_exporter: SpanExporter | None = None
) -> Telemetry:
    """Start logging to `log_stream` (standard output), tracing and metrics.

    `span_exporter` gets each span as it ends, in place of the collector: for tests. A wrong level or ratio raises ValueError.
    Call it before any stock instrumentation is imported, for it makes them use the stable names.
    """
    os.environ["OTEL_SEMCONV_STABILITY_OPT_IN"] = "http,database"
    tracing.propagate_w3c()
    redactor = Redactor(config.secrets)
    metrics = _instruments(config, redactor)
    processor = _span_processor(config, span_exporter, metrics, redactor)
    provider = tracing.tracer_provider(config.resource, config.sample_ratio, processor)
    stop_logs = logs.start(config.service, config.log_level, log_stream or sys.stdout, redactor)
    return Telemetry(provider, metrics, stop_logs)


def _instruments(config: TelemetryConfig, redactor: Redactor) -> Instruments:
    target_info = {semconv.prometheus_label(name): value for name, value in config.resource.items()}
    registry = CollectorRegistry(target_info=target_info)
    ProcessCollector(registry=registry)
    GCCollector(registry)
    instruments = Instruments(registry, redactor)
    instruments.set(semconv.BUILD_INFO, 1, *config.service.values(), platform.python_version())
    return instruments


def _span_processor(
    config: TelemetryConfig, exporter: SpanExporter | None, metrics: Instruments, redactor: Redactor
) -> SpanProcessor | None:
    if exporter is not None:
        return tracing.immediate(exporter, metrics, redactor)
    return tracing.batching(config.otlp_endpoint, metrics, redactor) if config.otlp_endpoint else None

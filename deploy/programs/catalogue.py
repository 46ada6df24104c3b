"""The programs that can take part, as data: under which names they are found, and what they are in a topology."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from deploy.topology import Listener, Page, Process, Readiness

PROMETHEUS: Final = "prometheus"
ALERTMANAGER: Final = "alertmanager"
JAEGER: Final = "jaeger"
GRAFANA: Final = "grafana"

PROFILE: Final = "demo"
"""Of `slo.yaml`: on one's own machine nobody waits an hour for an alert."""

JAEGER_VERSION: Final = "1.76.0"
"""Of the module that `make backends` builds; its `cmd/jaeger` is Jaeger v2."""

HTTP_PORT: Final = "HTTP_PORT"
QUERY_PORT: Final = "QUERY_PORT"
OTLP_GRPC_PORT: Final = "OTLP_GRPC_PORT"
OTLP_HTTP_PORT: Final = "OTLP_HTTP_PORT"
SPAN_METRICS_PORT: Final = "SPAN_METRICS_PORT"
TELEMETRY_PORT: Final = "TELEMETRY_PORT"

_ONE: Final = "it keeps its data in its own folder"


@dataclass(frozen=True)
class Known:
    """A program: the `commands` it is found by, its place in a topology, its page, and who serves where it is not."""

    commands: tuple[str, ...]
    process: Process
    page: Page
    instead: str

    @property
    def name(self) -> str:
        return self.process.name


def _process(name: str, listeners: tuple[Listener, ...], readiness: Readiness) -> Process:
    module = f"deploy.programs.{name}"
    return Process(name, module, listeners, only_one_as=_ONE, readiness=readiness, folder=True)


_ALL: Final = (
    Known(
        ("jaeger",),
        _process(
            JAEGER,
            (
                Listener(QUERY_PORT, 16687),
                Listener(OTLP_GRPC_PORT, 4327),
                Listener(OTLP_HTTP_PORT, 4328),
                Listener(SPAN_METRICS_PORT, 8889),
                Listener(TELEMETRY_PORT, 8888),
            ),
            Readiness(QUERY_PORT, "/api/services"),
        ),
        Page("jaeger_url", "Jaeger", JAEGER, QUERY_PORT),
        "the embedded backend serves traces",
    ),
    Known(
        ("alertmanager", "prometheus-alertmanager"),
        replace(
            _process(ALERTMANAGER, (Listener(HTTP_PORT, 9093),), Readiness(HTTP_PORT, "/-/ready")),
            notifications_token=True,
        ),
        Page("alertmanager_url", "Alertmanager", ALERTMANAGER, HTTP_PORT),
        "nobody is notified",
    ),
    Known(
        ("prometheus",),
        _process(PROMETHEUS, (Listener(HTTP_PORT, 9090),), Readiness(HTTP_PORT, "/-/ready")),
        Page("prometheus_url", "Prometheus", PROMETHEUS, HTTP_PORT),
        "metrics are at each process's /metrics",
    ),
    Known(
        ("grafana", "grafana-server"),
        _process(GRAFANA, (Listener(HTTP_PORT, 3000),), Readiness(HTTP_PORT, "/api/health")),
        Page("grafana_url", "Grafana", GRAFANA, HTTP_PORT),
        "there are no dashboards",
    ),
)

PROGRAMS: Final[Mapping[str, Known]] = MappingProxyType({each.name: each for each in _ALL})
"""By name, in the order of dependence: callees first."""

"""The configuration of the backends that `docker-compose.yml` runs, where each container has a name and its usual ports."""

from collections.abc import Mapping
from typing import Final

from observability.stack import jaeger, objectives
from observability.stack.jaeger import Listeners, Sampling
from observability.stack.prometheus import config as prometheus
from observability.stack.prometheus.config import Job, Target

PROFILE: Final = "demo"
RULES: Final = "/etc/prometheus/rules.yml"
MAX_TRACES: Final = 6_000
"""A checkout's takes about 30 KB, twice that until Go has cleaned up; the container has 448 MiB."""

_ALERTMANAGER: Final = "alertmanager:9093"
OURS: Final = (
    Target("gateway:9080", "gateway", "gateway-1"),
    Target("orders:9081", "orders", "orders-1"),
    Target("inventory:9082", "inventory", "inventory-1"),
    Target("payments:9083", "payments", "payments-1"),
    Target("load:9086", "load", "load-1"),
    Target("faultline-alerts:9085", "faultline-alerts", "faultline-alerts-1"),
)
"""The admin listeners of our processes."""
_JOBS: Final = (
    Job(prometheus.FAULTLINE, OURS),
    Job(prometheus.SPAN_METRICS, [Target("jaeger:8889", "jaeger", "jaeger-1")]),
    Job("jaeger", [Target("jaeger:8888", "jaeger", "jaeger-1")]),
    Job("alertmanager", [Target(_ALERTMANAGER, "alertmanager", "alertmanager-1")]),
    Job("prometheus", [Target("prometheus:9090", "prometheus", "prometheus-1")]),
)
_LISTENERS: Final = Listeners(
    query="0.0.0.0:16686",
    otlp_grpc="0.0.0.0:4317",
    otlp_http="0.0.0.0:4318",
    span_metrics="0.0.0.0:8889",
    telemetry_host="0.0.0.0",  # noqa: S104 -- of its container
    telemetry_port=8888,
)
_HEADER: Final = "# Made by observability/stack/compose.py (`make stack`). Change that, not this.\n"


def files() -> Mapping[str, str]:
    """Text by name, relative to `observability/stack`. Jaeger has two: it keeps everything, or it samples."""
    found = objectives.load_all()
    checkout = found.objectives["checkout"].latency
    slow_ms = round(checkout.threshold_s * 1000)
    made = {
        "prometheus/prometheus.yml": prometheus.render(
            _JOBS, found.profiles[PROFILE], rule_files=[RULES], alertmanagers=[_ALERTMANAGER]
        ),
        "jaeger/keep-all.yaml": _jaeger(None),
        "jaeger/sampling.yaml": _jaeger(Sampling(slow_ms)),
    }
    return {name: _HEADER + text for name, text in made.items()}


def _jaeger(sampling: Sampling | None) -> str:
    return jaeger.render(_LISTENERS, prometheus_url="http://prometheus:9090", sampling=sampling, max_traces=MAX_TRACES)

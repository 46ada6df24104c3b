"""Jaeger v2's configuration: spans come as OTLP, are counted before anything could sample them, and kept in memory.

    OTLP → batches → storage in memory → query API
                   ↘ span metrics → /metrics

https://www.jaegertracing.io/docs/latest/deployment/configuration/
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

from observability import semconv
from observability.stack.jaeger import sampling as tail
from observability.stack.jaeger.sampling import Sampling

MAX_TRACES: Final = 50_000
MAX_REQUEST_MIB: Final = 16
"""As our own backend takes them."""
SPAN_METRICS_NAMESPACE: Final = "traces.span.metrics"

_STORAGE: Final = "memory"
_METRICS: Final = "prometheus"
_FLUSH: Final = "2s"
_KEEP: Final = "jaeger_storage_exporter"
_SPAN_METRICS: Final = "spanmetrics"
_EVERYTHING: Final = {
    "traces": {"receivers": ["otlp"], "processors": ["batch"], "exporters": [_KEEP, _SPAN_METRICS]},
}
# Span names are bounded here, but whoever points a service of theirs at it may not know.
_MOST_SERIES: Final = 2_000


@dataclass(frozen=True)
class Listeners:
    """Where Jaeger listens, each `host:port`: but for its own metrics, whose address it wants in two parts."""

    query: str
    otlp_grpc: str
    otlp_http: str
    span_metrics: str
    telemetry_host: str
    telemetry_port: int
    query_grpc: str = "127.0.0.1:0"


def render(
    listeners: Listeners,
    *,
    prometheus_url: str | None = None,
    sampling: Sampling | None = None,
    max_traces: int = MAX_TRACES,
) -> str:
    """The file's content. With `prometheus_url`, Jaeger shows the span metrics that Prometheus has of it (SPM).

    With `sampling`, it keeps only what is worth a look; at most `max_traces` in any case.
    """
    return yaml.safe_dump(
        {
            "service": _service(listeners, sampling),
            "extensions": _extensions(listeners, prometheus_url, max_traces),
            "receivers": {"otlp": {"protocols": _otlp(listeners)}},
            "processors": {
                "batch": {"timeout": "200ms", "send_batch_size": 2048},
                **({tail.PROCESSOR: tail.processor(sampling)} if sampling else {}),
            },
            "connectors": {_SPAN_METRICS: _span_metrics(), **({tail.CONNECTOR: {}} if sampling else {})},
            "exporters": {
                _KEEP: {"trace_storage": _STORAGE},
                "prometheus": {"endpoint": listeners.span_metrics, "enable_open_metrics": True},
            },
        },
        sort_keys=False,
    )


def _service(listeners: Listeners, sampling: Sampling | None) -> Mapping[str, Any]:
    exporter = {"host": listeners.telemetry_host, "port": listeners.telemetry_port}
    return {
        "extensions": ["jaeger_storage", "jaeger_query"],
        "pipelines": {
            **(tail.pipelines(_KEEP, _SPAN_METRICS) if sampling else _EVERYTHING),
            "metrics/spanmetrics": {"receivers": [_SPAN_METRICS], "exporters": ["prometheus"]},
        },
        "telemetry": {
            "resource": {"service.name": "jaeger"},
            "metrics": {"level": "normal", "readers": [{"pull": {"exporter": {"prometheus": exporter}}}]},
            "logs": {"level": "warn"},
        },
    }


def _extensions(listeners: Listeners, prometheus_url: str | None, max_traces: int) -> Mapping[str, Any]:
    storage: dict[str, Any] = {"backends": {_STORAGE: {"memory": {"max_traces": max_traces}}}}
    query: dict[str, Any] = {
        "storage": {"traces": _STORAGE},
        "http": {"endpoint": listeners.query},
        "grpc": {"endpoint": listeners.query_grpc},
        "enable_tracing": False,  # whoever looks at traces is none of them
    }
    if prometheus_url:
        storage["metric_backends"] = {_METRICS: {"prometheus": _metric_backend(prometheus_url)}}
        query["storage"]["metrics"] = _METRICS
    return {"jaeger_query": query, "jaeger_storage": storage}


def _metric_backend(prometheus_url: str) -> Mapping[str, Any]:
    return {
        "endpoint": prometheus_url,
        "metric_namespace": SPAN_METRICS_NAMESPACE.replace(".", "_"),
        "latency_unit": "s",
        "normalize_calls": True,
        "normalize_duration": True,
    }


def _otlp(listeners: Listeners) -> Mapping[str, Any]:
    return {
        "grpc": {"endpoint": listeners.otlp_grpc, "max_recv_msg_size_mib": MAX_REQUEST_MIB},
        "http": {"endpoint": listeners.otlp_http, "max_request_body_size": MAX_REQUEST_MIB << 20},
    }


def _span_metrics() -> Mapping[str, Any]:
    buckets = semconv.HTTP_SERVER_REQUEST_DURATION.buckets or ()
    return {
        "namespace": SPAN_METRICS_NAMESPACE,
        "histogram": {"unit": "s", "explicit": {"buckets": [f"{each * 1000:g}ms" for each in buckets]}},
        "exemplars": {"enabled": True, "max_per_data_point": 5},
        # A restarted service goes on in the same series.
        "resource_metrics_key_attributes": [semconv.SERVICE_NAME, semconv.SERVICE_INSTANCE_ID],
        "aggregation_cardinality_limit": _MOST_SERIES,
        "metrics_flush_interval": _FLUSH,
    }

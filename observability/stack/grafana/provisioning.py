"""What Grafana finds when it starts: its data sources, and where the dashboards are.

Whoever starts Grafana sets the variables of `ENVIRONMENT`, which Grafana puts in itself (it knows no defaults); `$$` is a `$`.

https://grafana.com/docs/grafana/latest/administration/provisioning/
"""

from collections.abc import Mapping
from typing import Any, Final

import yaml

from observability import semconv
from observability.stack.grafana.frame import GENERATOR

PROMETHEUS, JAEGER, ALERTMANAGER = "prometheus", "jaeger", "alertmanager"
"""What the data sources are known by."""

DASHBOARDS_FOLDER: Final = "GRAFANA_DASHBOARDS"
ADDRESSES: Final = {PROMETHEUS: "PROMETHEUS_URL", JAEGER: "JAEGER_URL", ALERTMANAGER: "ALERTMANAGER_URL"}
SCRAPE_INTERVAL: Final = "PROMETHEUS_SCRAPE_INTERVAL"
ENVIRONMENT: Final = (*ADDRESSES.values(), SCRAPE_INTERVAL, DASHBOARDS_FOLDER)
"""Base addresses of the backends, how often Prometheus scrapes (`2s`), and the folder of the dashboards."""

TRACE_PAGE: Final = "http://127.0.0.1:16686/trace/$${__value.raw}"
"""Where a browser finds a trace, Jaeger's or the embedded backend's, which have the same port and the same links."""

Document = dict[str, Any]


def files() -> Mapping[str, str]:
    """Text by name, relative to Grafana's provisioning folder."""
    return {
        "datasources/faultline.yml": _yaml(
            {"apiVersion": 1, "datasources": [_prometheus(), _jaeger(), _alertmanager()]}
        ),
        "dashboards/faultline.yml": _yaml({"apiVersion": 1, "providers": [_provider()]}),
    }


def _prometheus() -> Document:
    """A point on a graph leads to the trace that it is an exemplar of: to its page, and for who may explore, within Grafana."""
    options = {
        "httpMethod": "POST",
        "prometheusType": "Prometheus",
        "timeInterval": f"${SCRAPE_INTERVAL}",
        "exemplarTraceIdDestinations": [
            {"name": semconv.TRACE_ID, "url": TRACE_PAGE, "urlDisplayLabel": "Open the trace"},
            {"name": semconv.TRACE_ID, "datasourceUid": JAEGER, "urlDisplayLabel": "Explore the trace in Grafana"},
        ],
    }
    return _source("Prometheus", PROMETHEUS, options, isDefault=True)


def _jaeger() -> Document:
    """A span leads to the metrics of its service at its time."""
    return _source(
        "Jaeger",
        JAEGER,
        {"tracesToMetrics": _traces_to_metrics(), "nodeGraph": {"enabled": True}, "spanBar": {"type": "Duration"}},
    )


def _traces_to_metrics() -> Document:
    http, rpc = semconv.HTTP_SERVER_REQUEST_DURATION.prometheus_name, semconv.RPC_SERVER_CALL_DURATION.prometheus_name
    touched = semconv.FAULTS_TOUCHED.prometheus_name
    return {
        "datasourceUid": PROMETHEUS,
        "spanStartTimeShift": "-2m",
        "spanEndTimeShift": "2m",
        "tags": [{"key": semconv.SERVICE_NAME, "value": "service"}],
        "queries": [
            {"name": "Requests over HTTP", "query": f"sum(rate({http}_count{{$$__tags}}[$$__rate_interval]))"},
            {"name": "Calls over gRPC", "query": f"sum(rate({rpc}_count{{$$__tags}}[$$__rate_interval]))"},
            {"name": "Requests touched by a fault", "query": f"sum(rate({touched}{{$$__tags}}[$$__rate_interval]))"},
        ],
    }


def _alertmanager() -> Document:
    return _source("Alertmanager", ALERTMANAGER, {"implementation": "prometheus", "handleGrafanaManagedAlerts": False})


def _source(name: str, uid: str, options: Document, **more: Any) -> Document:
    return {
        "name": name,
        "type": uid,
        "uid": uid,
        "access": "proxy",
        "url": f"${ADDRESSES[uid]}",
        "editable": False,
        **more,
        "jsonData": options,
    }


def _provider() -> Document:
    """Dashboards are read from files, and what is changed by hand is not kept."""
    return {
        "name": "faultline",
        "folder": "Faultline",
        "type": "file",
        "disableDeletion": True,
        "allowUiUpdates": False,
        "updateIntervalSeconds": 30,
        "options": {"path": f"${DASHBOARDS_FOLDER}", "foldersFromFilesStructure": False},
    }


def _yaml(document: Document) -> str:
    return (
        f"# Made by `{GENERATOR}`; change it there (observability/stack/grafana/provisioning.py).\n"
        + yaml.safe_dump(document, sort_keys=False, width=120)
    )

import re

import pytest

from observability import semconv
from observability.semconv import METRICS, Metric


@pytest.mark.parametrize(
    ("metric", "name"),
    [
        (semconv.HTTP_SERVER_REQUEST_DURATION, "http_server_request_duration_seconds"),
        (semconv.HTTP_SERVER_ACTIVE_REQUESTS, "http_server_active_requests"),
        (semconv.RPC_SERVER_CALL_DURATION, "rpc_server_call_duration_seconds"),
        (semconv.HTTP_CLIENT_REQUEST_DURATION, "http_client_request_duration_seconds"),
        (semconv.RPC_CLIENT_CALL_DURATION, "rpc_client_call_duration_seconds"),
        (semconv.DB_CLIENT_OPERATION_DURATION, "db_client_operation_duration_seconds"),
        (semconv.CALL_DURATION, "faultline_call_duration_seconds"),
        (semconv.CALL_ATTEMPTS, "faultline_call_attempts_total"),
        (semconv.CHECKOUTS, "faultline_checkouts_total"),
        (semconv.BUILD_INFO, "faultline_build_info"),
        (semconv.EVENT_LOOP_LAG, "faultline_event_loop_lag_seconds"),
        (semconv.TELEMETRY_SPANS, "faultline_telemetry_spans_total"),
        (Metric("a.b-c", "By", "counter", (), ""), "a_b_c_bytes_total"),
        (Metric("wait.seconds", "s", "gauge", (), ""), "wait_seconds"),
        (Metric("a..b", "{call}", "gauge", (), ""), "a_b"),
    ],
)
def test_prometheus_names_follow_opentelemetrys_rules(metric: Metric, name: str) -> None:
    assert metric.prometheus_name == name


def test_every_metric_is_listed_under_a_name_of_its_own() -> None:
    assert len({metric.prometheus_name for metric in METRICS}) == len(METRICS) > 0


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_a_metric_is_whole(metric: Metric) -> None:
    assert metric.help.endswith(".")
    assert (metric.buckets is not None) == (metric.kind == "histogram")
    assert all(re.fullmatch(r"[a-z_][a-z0-9_]*", label) for label in metric.prometheus_labels)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_labels_are_bounded(metric: Metric) -> None:
    unbounded = {
        semconv.ATTEMPT,
        semconv.ORDER_ID,
        semconv.USER_ID,
        semconv.CLIENT_ID,
        semconv.URL_PATH,
        semconv.URL_FULL,
    }
    assert not unbounded.intersection(metric.labels)

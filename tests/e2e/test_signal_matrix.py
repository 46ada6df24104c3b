"""Every service gives every signal, under the names that are declared."""

import pytest

from deploy.system import System
from observability import semconv
from observability.semconv import Metric
from tests.e2e.http_api import Answer, Api
from tests.e2e.metrics import families, samples
from tests.e2e.running import SERVICES, admin_url, log_lines, shopper
from tests.e2e.traces import Traces
from tests.waiting import eventually

EVERY_PROCESS = {
    semconv.BUILD_INFO,
    semconv.EVENT_LOOP_LAG,
    semconv.TELEMETRY_SPANS,
    semconv.SPAN_QUEUE_SIZE,
    semconv.SPAN_QUEUE_CAPACITY,
    semconv.FAULTS_TOUCHED,
    semconv.FAULTS_ACTIVE,
    semconv.SERVER_SHED,
    semconv.SERVER_LIMITS,
    semconv.SERVER_SERVED,
}
SERVES_HTTP = {
    semconv.HTTP_SERVER_REQUEST_DURATION,
    semconv.HTTP_SERVER_ACTIVE_REQUESTS,
    semconv.HTTP_SERVER_CONNECTIONS,
    semconv.HTTP_SERVER_CONNECTIONS_CUT,
}
CALLS = {
    semconv.CALL_DURATION,
    semconv.CALL_ATTEMPTS,
    semconv.RETRIES,
    semconv.RETRIES_STOPPED,
    semconv.RETRY_BUDGET_WITHDRAWALS,
    semconv.RETRY_BUDGET_BALANCE,
    semconv.BREAKER_STATES,
    semconv.BREAKER_TRANSITIONS,
    semconv.BREAKER_REJECTIONS,
    semconv.BULKHEAD_IN_FLIGHT,
    semconv.BULKHEAD_QUEUED,
    semconv.BULKHEAD_REJECTIONS,
    semconv.HEDGES,
    semconv.FALLBACKS,
}
STORES = CALLS | {
    semconv.DB_CLIENT_OPERATION_DURATION,
    semconv.DB_CLIENT_CONNECTION_COUNT,
    semconv.DB_CLIENT_CONNECTION_MAX,
    semconv.DB_CLIENT_CONNECTION_PENDING_REQUESTS,
    semconv.DB_CLIENT_CONNECTION_TIMEOUTS,
    semconv.DB_CLIENT_CONNECTION_WAIT_TIME,
    semconv.DB_CLIENT_CONNECTION_USE_TIME,
}
METRICS_OF = {
    "gateway": EVERY_PROCESS
    | SERVES_HTTP
    | CALLS
    | {semconv.HTTP_CLIENT_REQUEST_DURATION, semconv.RPC_CLIENT_CALL_DURATION, semconv.BAGGAGE_STRIPPED},
    "orders": EVERY_PROCESS
    | SERVES_HTTP
    | STORES
    | {semconv.RPC_CLIENT_CALL_DURATION, semconv.CHECKOUTS, semconv.RECOVERIES},
    "inventory": EVERY_PROCESS | STORES | {semconv.RPC_SERVER_CALL_DURATION, semconv.RESERVATIONS_EXPIRED},
    "payments": EVERY_PROCESS | STORES | {semconv.RPC_SERVER_CALL_DURATION},
}
"""Service → the metrics that apply to it."""

BESIDE = {semconv.LOAD_REQUESTS, semconv.EXPERIMENT_ACTIVE}
"""Metrics of a process that is no service, and of what does not always run."""

STDERR = "stderr"
"""The logger of lines that the supervisor took from a process's standard error."""

each_service = pytest.mark.parametrize("service", SERVICES)
used = pytest.mark.usefixtures("checked_out")


@pytest.fixture(scope="module")
def checked_out(api: Api) -> Answer:
    """A checkout and a listing, so that every edge was used."""
    assert api.get("/api/v1/products").status == 200
    answer = api.check_out()
    assert answer.status == 201, answer.body
    return answer


def test_every_declared_metric_applies_to_some_service() -> None:
    assert set(semconv.METRICS) == BESIDE.union(*METRICS_OF.values())


@each_service
@used
def test_traces(service: str, traces: Traces) -> None:
    def check() -> None:
        assert service in traces.services()

    eventually(check)


@each_service
@used
def test_metrics(service: str, system: System) -> None:
    found = families(admin_url(system, service))
    for metric in METRICS_OF[service]:
        family = found.get(_family_name(metric))
        assert family is not None, f"{service} does not tell {metric.prometheus_name}"
        assert family.type == metric.kind
        assert family.documentation == metric.help
        assert family.samples, f"{service} tells {metric.prometheus_name} without a value"
        for sample in family.samples:
            assert sample.labels.keys() - {"le"} == set(metric.prometheus_labels)


@each_service
@used
def test_no_undeclared_metric_of_ours(service: str, system: System) -> None:
    declared = {_family_name(metric) for metric in semconv.METRICS} | {"target"}  # OpenMetrics' own: the resource
    ours = {name for name in families(admin_url(system, service)) if not name.startswith(("process", "python"))}
    assert ours <= declared


@each_service
@used
def test_logs(service: str, system: System) -> None:
    lines = [line for line in log_lines(system, service) if line["logger"] != STDERR]
    assert lines
    for line in lines:
        assert line.keys() >= {"timestamp", "level", "logger", "message", semconv.TRACE_ID, semconv.SPAN_ID}
        assert line[semconv.SERVICE_NAME] == service
        assert line[semconv.SERVICE_INSTANCE_ID] == f"{service}-1"
        assert line[semconv.SERVICE_VERSION]


@each_service
@used
def test_nothing_is_said_past_the_log(service: str, system: System) -> None:
    """What a library writes to standard error is a complaint that nobody thought of."""
    assert not [line["message"] for line in log_lines(system, service) if line["logger"] == STDERR]


@used
def test_a_slow_bucket_leads_to_its_trace(system: System, traces: Traces) -> None:
    """Histograms carry exemplars, and the trace an exemplar names can be opened."""
    name = f"{semconv.HTTP_SERVER_REQUEST_DURATION.prometheus_name}_bucket"
    found = [each for each in samples(admin_url(system, "gateway"), name, http_route="/api/v1/orders") if each.exemplar]
    assert found
    exemplar = found[-1].exemplar
    assert exemplar is not None
    assert traces.whole(exemplar.labels["trace_id"]).spans


def test_failed_requests_are_measured_like_the_others(api: Api, system: System) -> None:
    name, url = f"{semconv.HTTP_SERVER_REQUEST_DURATION.prometheus_name}_count", admin_url(system, "gateway")
    labels = {"http_route": "/api/v1/orders", "http_request_method": "POST", "http_response_status_code": "400"}
    before = sum(each.value for each in samples(url, name, **labels))
    assert api.request("POST", "/api/v1/orders", {"Content-Type": "application/json"}, b"{").status == 400

    def check() -> None:
        assert sum(each.value for each in samples(url, name, **labels)) == before + 1

    eventually(check)


def test_labels_are_routes_not_paths(api: Api, system: System) -> None:
    secret_path = "no-such-place-71c9"
    assert api.get(f"/api/v1/products/{secret_path}").status == 404
    assert api.get(f"/{secret_path}").status == 404
    for service in SERVICES:
        assert secret_path.encode() not in Api(admin_url(system, service)).get("/metrics").body


def test_counters_exist_at_zero_from_the_start(own_system: System) -> None:
    """So that the first failure is seen by `increase()`."""
    orders, gateway = admin_url(own_system, "orders"), admin_url(own_system, "gateway")
    for outcome in semconv.CHECKOUT_OUTCOMES:
        assert _value(orders, semconv.CHECKOUTS, outcome) == 0
    for result in (semconv.SPANS_DROPPED, semconv.SPANS_FAILED):
        assert _value(gateway, semconv.TELEMETRY_SPANS, result) == 0
    for service, callees in {"gateway": {"orders", "inventory"}, "orders": {"inventory", "payments"}}.items():
        name = semconv.CALL_ATTEMPTS.prometheus_name
        for outcome in ("success", "failure"):
            found = samples(admin_url(own_system, service), name, faultline_outcome=outcome)
            assert {each.labels["faultline_callee"] for each in found} >= callees
    for status in ("201", "500", "503", "504"):
        assert _count(gateway, semconv.HTTP_SERVER_REQUEST_DURATION, "POST", "/api/v1/orders", status) == 0
    for code in ("OK", "INTERNAL", "UNAVAILABLE", "DEADLINE_EXCEEDED"):
        method = "faultline.payments.v1.Payments/Authorize"
        assert _count(admin_url(own_system, "payments"), semconv.RPC_SERVER_CALL_DURATION, method, code) == 0


def test_a_checkout_counts_once(own_system: System) -> None:
    answer = shopper(own_system).check_out()
    assert answer.status == 201, answer.body
    assert _value(admin_url(own_system, "orders"), semconv.CHECKOUTS, "confirmed") == 1


@each_service
def test_health_tells_the_loops_lag_and_readiness_its_checks(service: str, system: System) -> None:
    admin = Api(admin_url(system, service))
    health, readiness = admin.get("/healthz"), admin.get("/readyz")
    assert health.status == readiness.status == 200
    assert health.json()["event_loop_lag_s"] < 1.0
    assert readiness.json()["ready"] is True


def _family_name(metric: Metric) -> str:
    return metric.prometheus_name.removesuffix("_total")


def _count(url: str, metric: Metric, *labels: str) -> float:
    wanted = dict(zip(metric.prometheus_labels, labels, strict=True))
    (sample,) = samples(url, f"{metric.prometheus_name}_count", **wanted)
    return sample.value


def _value(url: str, metric: Metric, *labels: str) -> float:
    wanted = dict(zip(metric.prometheus_labels, labels, strict=True))
    (sample,) = samples(url, metric.prometheus_name, **wanted)
    return sample.value

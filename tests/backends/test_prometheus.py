"""The real Prometheus sees every process, and leads from a slow request to its trace."""

import time
from urllib.parse import urlencode

import pytest

from deploy.system import System
from deploy.topology import ADMIN_PORT
from observability import semconv
from tests.backends.clients import Prometheus, Value
from tests.backends.programs import need
from tests.e2e.http_api import Api
from tests.e2e.traces import Traces
from tests.waiting import eventually

WITHIN_S = 60.0
DURATION = semconv.HTTP_SERVER_REQUEST_DURATION.prometheus_name


def test_every_process_is_scraped_under_its_name(observed: System, prometheus: Prometheus) -> None:
    expected = {
        ("faultline", each["service"], each["instance"])
        for each in observed.topology["processes"]
        if ADMIN_PORT in each["listeners"]
    }

    def check() -> None:
        targets = prometheus.targets()
        assert {each["health"] for each in targets} == {"up"}, [(each["labels"], each["lastError"]) for each in targets]
        labels = [each["labels"] for each in targets]
        assert {(each["job"], each["service"], each["instance"]) for each in labels} >= expected

    eventually(check, WITHIN_S)


def test_every_rule_can_be_evaluated(prometheus: Prometheus) -> None:
    def check() -> None:
        rules = prometheus.rules()
        assert rules
        assert [each for each in rules if each["health"] != "ok"] == []

    eventually(check, WITHIN_S)


def test_a_request_is_counted_once(customer: Api, prometheus: Prometheus) -> None:
    asked_for_nothing = f'sum({DURATION}_count{{service="gateway", http_response_status_code="404"}}) or vector(0)'
    (before,) = prometheus.query(asked_for_nothing)
    assert customer.get("/api/v1/products/none").status == 404

    def check() -> float:
        (after,) = prometheus.query(asked_for_nothing)
        assert after.value > before.value
        return after.value

    assert eventually(check, WITHIN_S) == before.value + 1


def test_an_exemplar_leads_to_its_trace(observed: System, customer: Api, prometheus: Prometheus) -> None:
    began = time.time()
    assert customer.get("/api/v1/products").status == 200
    buckets = f'{DURATION}_bucket{{service="gateway"}}'

    def check() -> str:
        found = prometheus.exemplars(buckets, began, time.time())
        assert found
        return str(found[-1]["labels"][semconv.TRACE_ID])

    trace_id = eventually(check, WITHIN_S)
    assert "gateway" in Traces(observed.query_url).whole(trace_id, "gateway").services


def test_jaeger_counts_spans_for_prometheus(prometheus: Prometheus) -> None:
    need("jaeger")
    calls = 'traces_span_metrics_calls_total{job="jaeger-spanmetrics", service_name="gateway", span_kind="SPAN_KIND_SERVER"}'
    assert eventually(lambda: some(prometheus, calls), WITHIN_S)
    duration = 'traces_span_metrics_duration_seconds_bucket{service_name="gateway"}'
    assert eventually(lambda: some(prometheus, duration), WITHIN_S)


@pytest.mark.usefixtures("prometheus")
def test_jaeger_shows_what_prometheus_has_of_it(jaeger: Traces, observed: System) -> None:
    api = Api(observed.topology["jaeger_url"])

    def check() -> None:
        asked = {"service": "gateway", "spanKind": "server", "endTs": round(time.time() * 1000), "lookback": 60_000}
        answer = api.get(f"/api/metrics/calls?{urlencode({**asked, 'step': 5_000, 'ratePer': 30_000})}")
        assert answer.status == 200, answer.body
        (found,) = answer.json()["metrics"]
        assert found["labels"] == [{"name": "service_name", "value": "gateway"}]
        assert max(each["gaugeValue"]["doubleValue"] for each in found["metricPoints"]) > 0

    eventually(check, WITHIN_S)
    assert "gateway" in jaeger.services()


def some(prometheus: Prometheus, expression: str) -> list[Value]:
    """The vector. Raises AssertionError while it is empty."""
    found = prometheus.query(expression)
    assert found, f"{expression}: no data"
    return found

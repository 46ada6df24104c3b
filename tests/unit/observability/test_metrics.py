from concurrent.futures import ThreadPoolExecutor

import pytest
from prometheus_client import CollectorRegistry

from observability.metrics import Instruments
from observability.semconv import (
    CALL_ATTEMPTS,
    CALL_DURATION,
    CHECKOUTS,
    EVENT_LOOP_LAG,
    HTTP_SERVER_ACTIVE_REQUESTS,
    HTTP_SERVER_REQUEST_DURATION,
    METRICS,
    Metric,
)
from tests.unit.observability.harness import CONFIG, OPENMETRICS, samples, started

CALL = ("inventory", "Reserve", "success")


@pytest.fixture
def instruments() -> Instruments:
    return Instruments(CollectorRegistry())


def test_a_histogram_has_its_buckets_and_labels(instruments: Instruments) -> None:
    instruments.observe(HTTP_SERVER_REQUEST_DURATION, 0.02, "GET", "/api/v1/products", 200)
    buckets = samples(instruments, "http_server_request_duration_seconds_bucket")
    assert [b.labels["le"] for b in buckets][:3] == ["0.005", "0.01", "0.025"]
    assert [b.value for b in buckets][:3] == [0, 0, 1]
    labels = {"http_request_method": "GET", "http_route": "/api/v1/products", "http_response_status_code": "200"}
    assert samples(instruments, "http_server_request_duration_seconds_count")[0].labels == labels


def test_an_exemplar_leads_to_the_current_span() -> None:
    with started() as telemetry, telemetry.tracer.start_as_current_span("call") as span:
        telemetry.metrics.observe(CALL_DURATION, 0.003, *CALL)
        telemetry.metrics.add(CHECKOUTS, "failed")
        found = [s.exemplar for s in samples(telemetry.metrics, "faultline_call_duration_seconds_bucket") if s.exemplar]
        counted = samples(telemetry.metrics, "faultline_checkouts_total")[0].exemplar
    context = span.get_span_context()
    ids = {"trace_id": format(context.trace_id, "032x"), "span_id": format(context.span_id, "016x")}
    assert [(e.labels, e.value) for e in found] == [(ids, 0.003)]
    assert counted is not None
    assert counted.labels == ids


def test_a_span_that_no_backend_will_have_is_no_exemplar() -> None:
    config = type(CONFIG)("orders", "1", "orders-1", None, sample_ratio=0)
    with started(config) as telemetry, telemetry.tracer.start_as_current_span("call"):
        telemetry.metrics.observe(CALL_DURATION, 0.003, *CALL)
        assert not any(s.exemplar for s in samples(telemetry.metrics, "faultline_call_duration_seconds_bucket"))


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_zero_makes_a_child_of_any_metric_exist(instruments: Instruments, metric: Metric) -> None:
    instruments.zero(metric, *["x"] * len(metric.labels))
    name = metric.prometheus_name + ("_count" if metric.kind == "histogram" else "")
    assert [s.value for s in samples(instruments, name)] == [0]


def test_zero_keeps_what_was_counted(instruments: Instruments) -> None:
    instruments.add(CALL_ATTEMPTS, *CALL, amount=2)
    instruments.zero(CALL_ATTEMPTS, *CALL)
    assert [s.value for s in samples(instruments, "faultline_call_attempts_total")] == [2]


def test_a_gauge_can_follow_what_somebody_else_counts(instruments: Instruments) -> None:
    waiting = [1]
    instruments.follow(HTTP_SERVER_ACTIVE_REQUESTS, lambda: len(waiting))
    assert [s.value for s in samples(instruments, "http_server_active_requests")] == [1]
    waiting.append(2)
    assert [s.value for s in samples(instruments, "http_server_active_requests")] == [2]


def test_only_a_gauge_can_follow_something(instruments: Instruments) -> None:
    with pytest.raises(TypeError, match="only a gauge"):
        instruments.follow(CHECKOUTS, lambda: 1.0, "failed")


def test_a_counter_can_be_looked_up_once_and_for_all(instruments: Instruments) -> None:
    count = instruments.counter(CALL_ATTEMPTS, *CALL)
    assert [s.value for s in samples(instruments, "faultline_call_attempts_total")] == [0]
    count()
    instruments.add(CALL_ATTEMPTS, *CALL)
    count()
    assert [s.value for s in samples(instruments, "faultline_call_attempts_total")] == [3]


def test_only_a_counter_counts(instruments: Instruments) -> None:
    with pytest.raises(TypeError, match="only a counter"):
        instruments.counter(EVENT_LOOP_LAG)


def test_gauges_are_set_and_added_to(instruments: Instruments) -> None:
    instruments.set(EVENT_LOOP_LAG, 0.25)
    instruments.add(HTTP_SERVER_ACTIVE_REQUESTS)
    instruments.add(HTTP_SERVER_ACTIVE_REQUESTS)
    instruments.add(HTTP_SERVER_ACTIVE_REQUESTS, amount=-1)
    assert samples(instruments, "faultline_event_loop_lag_seconds")[0].value == 0.25
    assert samples(instruments, "http_server_active_requests")[0].value == 1


def test_a_family_is_not_there_before_it_is_used(instruments: Instruments) -> None:
    assert instruments.exposition(OPENMETRICS)[0] == b"# EOF\n"


def test_misuse_names_the_metric(instruments: Instruments) -> None:
    with pytest.raises(ValueError, match=r"faultline\.call\.duration takes values for"):
        instruments.observe(CALL_DURATION, 1, "inventory")
    with pytest.raises(TypeError, match=r"faultline\.checkouts is a counter"):
        instruments.observe(CHECKOUTS, 1, "confirmed")
    with pytest.raises(TypeError, match=r"faultline\.call\.duration is a histogram"):
        instruments.add(CALL_DURATION, *CALL)
    with pytest.raises(TypeError, match=r"faultline\.checkouts is a counter"):
        instruments.set(CHECKOUTS, 1, "confirmed")


def test_numbers_and_their_text_are_one_child(instruments: Instruments) -> None:
    instruments.observe(HTTP_SERVER_REQUEST_DURATION, 0.1, "GET", "/x", 200)
    instruments.observe(HTTP_SERVER_REQUEST_DURATION, 0.1, "GET", "/x", "200")
    assert [s.value for s in samples(instruments, "http_server_request_duration_seconds_count")] == [2]


def test_a_secret_never_becomes_a_label(instruments: Instruments) -> None:
    instruments.add(CHECKOUTS, "flk_secret")
    assert b"flk_" not in instruments.exposition(OPENMETRICS)[0]


def test_threads_lose_no_count(instruments: Instruments) -> None:
    def work(number: int) -> None:
        for step in range(500):
            instruments.add(CALL_ATTEMPTS, "inventory", str((number + step) % 7), "success")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert sum(s.value for s in samples(instruments, "faultline_call_attempts_total")) == 4000


def test_who_does_not_ask_for_openmetrics_gets_plain_text(instruments: Instruments) -> None:
    instruments.add(CHECKOUTS, "confirmed")
    body, content_type = instruments.exposition("*/*")
    assert content_type.startswith("text/plain")
    assert b'faultline_checkouts_total{faultline_checkout_outcome="confirmed"} 1.0\n' in body
    assert b"_created" not in body

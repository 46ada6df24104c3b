"""Against a real collector: one that is away, comes, goes, hangs, or was told to expect a proxy."""

import io
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from opentelemetry.sdk.trace import TracerProvider
from prometheus_client import CollectorRegistry

from observability import logs, tracing
from observability.metrics import Instruments
from observability.redaction import Redactor
from tests.unit.observability.harness import CONFIG, Collector, lines, span_counts, started


@pytest.fixture
def instruments() -> Instruments:
    return Instruments(CollectorRegistry())


@contextmanager
def impatient(port: int, instruments: Instruments) -> Iterator[TracerProvider]:
    """Exports to a port, and gives up at the first refusal."""
    endpoint = f"http://127.0.0.1:{port}"
    processor = tracing.batching(endpoint, instruments, Redactor(), export_timeout_s=0.5)
    provider = tracing.tracer_provider(CONFIG.resource, 1.0, processor)
    try:
        yield provider
    finally:
        provider.shutdown()


LESS_THAN_AN_EXPORT_S = 4.5
"""Two are promised; a machine that is busy gets more, but not what an export may take by itself."""


def one_span(provider: TracerProvider, name: str) -> None:
    """End a span and wait for the verdict on it."""
    provider.get_tracer("test").start_span(name).end()
    provider.force_flush()


@contextmanager
def deaf() -> Iterator[int]:
    """A port that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield int(listener.getsockname()[1])


@pytest.fixture
def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def test_spans_arrive_with_their_resource_and_without_secrets() -> None:
    collector = Collector()
    with collector.listening() as port:
        config = type(CONFIG)("orders", "1.2.3", "orders-1", f"http://127.0.0.1:{port}")
        with started(config) as telemetry, telemetry.tracer.start_as_current_span("parent"):
            telemetry.tracer.start_span("child", attributes={"x-api-key": "flk_1"}).end()
    child, parent = collector.spans
    assert (child.name, parent.name) == ("child", "parent")
    assert child.trace_id == parent.trace_id
    assert child.parent_span_id == parent.span_id
    assert b"flk_" not in child.SerializeToString()
    resource = {pair.key: pair.value.string_value for pair in collector.received[0].resource.attributes}
    assert resource == config.resource
    assert span_counts(telemetry.metrics) == {"exported": 2, "dropped": 0, "failed": 0}


def test_a_collector_comes_goes_and_comes_back(free_port: int, instruments: Instruments) -> None:
    collector, stream = Collector(), io.StringIO()
    stop_logs = logs.start({}, "INFO", stream, Redactor())
    with impatient(free_port, instruments) as provider:
        one_span(provider, "lost")
        one_span(provider, "lost too")
        with collector.listening(free_port):
            one_span(provider, "first")
        one_span(provider, "lost again")
        with collector.listening(free_port):
            one_span(provider, "second")
    stop_logs()
    assert [span.name for span in collector.spans] == ["first", "second"]
    assert span_counts(instruments) == {"exported": 2, "dropped": 0, "failed": 3}
    assert [line["message"].split(":")[0].split()[-1] for line in lines(stream)] == ["away", "back", "away", "back"]


def test_a_collector_that_restarts_quickly_loses_nothing(free_port: int) -> None:
    collector, stream = Collector(), io.StringIO()
    config = type(CONFIG)("orders", "1", "orders-1", f"http://127.0.0.1:{free_port}")
    with started(config, log_stream=stream) as telemetry:
        with socket.create_server(("127.0.0.1", free_port)) as dying:
            telemetry.tracer.start_span("early").end()
            dying.accept()[0].close()  # so the first attempt has failed
        with collector.listening(free_port):
            telemetry.tracer_provider.force_flush()
    assert [span.name for span in collector.spans] == ["early"]
    assert lines(stream) == []


def test_shutdown_is_quick_with_the_collector_away(free_port: int, capfd: pytest.CaptureFixture[str]) -> None:
    stream = io.StringIO()
    config = type(CONFIG)("orders", "1", "orders-1", f"http://127.0.0.1:{free_port}")
    with started(config, log_stream=stream) as telemetry:
        for _ in range(3000):  # more than one batch, and more than the queue holds
            telemetry.tracer.start_span("lost").end()
        began = time.monotonic()
    assert time.monotonic() - began < LESS_THAN_AN_EXPORT_S
    assert [line["level"] for line in lines(stream)] == ["WARNING"]
    counts = span_counts(telemetry.metrics)
    assert counts["exported"] == 0
    assert counts["dropped"] + counts["failed"] == 3000
    assert capfd.readouterr().err == ""


def test_shutdown_is_quick_with_a_collector_that_never_answers() -> None:
    with deaf() as port:
        config = type(CONFIG)("orders", "1", "orders-1", f"http://127.0.0.1:{port}")
        with started(config) as telemetry:
            telemetry.tracer.start_span("lost").end()
            began = time.monotonic()
        assert time.monotonic() - began < LESS_THAN_AN_EXPORT_S
    assert span_counts(telemetry.metrics)["failed"] == 1


def test_a_proxy_for_the_web_is_not_asked(
    free_port: int, instruments: Instruments, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "grpc_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port}")
    collector = Collector()
    with collector.listening() as port, impatient(port, instruments) as provider:
        one_span(provider, "direct")
    assert [span.name for span in collector.spans] == ["direct"]

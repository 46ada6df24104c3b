"""A real Jaeger that samples keeps what is worth a look, and counts everything."""

import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import Span, StatusCode

from deploy.ports import FreePorts
from deploy.programs.catalogue import JAEGER, PROGRAMS
from deploy.programs.finding import find
from observability import semconv
from observability.stack.jaeger import Listeners, Sampling, render
from tests.backends.programs import need
from tests.e2e.http_api import Api
from tests.waiting import eventually

HOST = "127.0.0.1"
SLOW_MS = 500
PATIENCE_S = 60.0
SECOND_NS = 1_000_000_000


@dataclass(frozen=True)
class Running:
    """Where the Jaeger of this test is."""

    query: Api
    span_metrics: Api
    otlp: str


@pytest.fixture
def jaeger(tmp_path: Path) -> Iterator[Running]:
    need(JAEGER)
    ports = FreePorts(HOST)
    query, otlp, http, counted, own = (ports.take() for _ in range(5))
    listeners = Listeners(
        f"{HOST}:{query}", f"{HOST}:{otlp}", f"{HOST}:{http}", f"{HOST}:{counted}", HOST, own, f"{HOST}:0"
    )
    config = tmp_path / "jaeger.yaml"
    config.write_text(render(listeners, sampling=Sampling(SLOW_MS, wait_s=1)))
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen([str(find(PROGRAMS[JAEGER])), f"--config={config}"], stdout=log, stderr=log)
        try:
            found = Running(Api(f"http://{HOST}:{query}"), Api(f"http://{HOST}:{counted}"), f"http://{HOST}:{otlp}")
            eventually(lambda: answers(found.query), within=PATIENCE_S)
            yield found
        finally:
            process.terminate()
            process.wait()
            ports.claim.close()


def answers(api: Api) -> None:
    """Raises AssertionError while it does not."""
    try:
        status = api.get("/api/services").status
    except OSError as exc:
        raise AssertionError(str(exc)) from exc
    assert status == 200


def kept(api: Api) -> set[str]:
    """The names of the roots of all traces that are there."""
    answer = api.get("/api/traces?service=sampled&limit=100").json()
    return {span["operationName"] for trace in answer["data"] or [] for span in trace["spans"]}


def counted(api: Api) -> set[str]:
    """The names of the spans that were counted."""
    lines = api.get("/metrics").body.decode().splitlines()
    calls = [line for line in lines if line.startswith("traces_span_metrics_calls_total{")]
    return {name for name in ("plain", "failed", "slow", "touched") for line in calls if f'span_name="{name}"' in line}


def shows(found: set[str], wanted: set[str]) -> None:
    assert found == wanted


def fail(span: Span) -> None:
    span.set_status(StatusCode.ERROR)


def touch(span: Span) -> None:
    span.set_attribute(semconv.FAULT_ID, "f-1")


def test_what_failed_was_slow_or_was_touched_is_kept_and_everything_counted(jaeger: Running) -> None:
    provider = TracerProvider(resource=Resource({semconv.SERVICE_NAME: "sampled"}))
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(jaeger.otlp, insecure=True)))
    tracer, began = provider.get_tracer("test"), time.time_ns() - 10 * SECOND_NS
    for name, spoil, seconds in (
        ("plain", None, 0.1),
        ("failed", fail, 0.1),
        ("touched", touch, 0.1),
        ("slow", None, 0.6),
    ):
        span = tracer.start_span(name, start_time=began)
        if spoil:
            spoil(span)
        span.end(began + int(seconds * SECOND_NS))
    provider.shutdown()
    eventually(lambda: shows(counted(jaeger.span_metrics), {"plain", "failed", "slow", "touched"}), within=PATIENCE_S)
    eventually(lambda: shows(kept(jaeger.query), {"failed", "slow", "touched"}), within=PATIENCE_S)

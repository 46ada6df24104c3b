import os
import subprocess
import sys

import pytest
from opentelemetry import propagate, trace
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from observability.current_span import exported_span_ids, span_ids
from tests.unit.observability.harness import CONFIG, samples, started


def test_a_process_says_what_it_is() -> None:
    with started() as telemetry:
        (build,) = samples(telemetry.metrics, "faultline_build_info")
        (target,) = samples(telemetry.metrics, "target_info")
        memory = samples(telemetry.metrics, "process_resident_memory_bytes")  # only where there is a /proc
    who = {"service_name": "orders", "service_version": "1.2.3", "service_instance_id": "orders-1"}
    assert build.value == target.value == 1
    assert who.items() <= build.labels.items()
    assert who.items() <= target.labels.items()
    assert target.labels["telemetry_sdk_language"] == "python"
    assert all(sample.value > 0 for sample in memory)


def test_spans_carry_the_resource_and_the_tracers_name() -> None:
    exporter = InMemorySpanExporter()
    with started(span_exporter=exporter) as telemetry:
        telemetry.tracer.start_span("s").end()
    (span,) = exporter.get_finished_spans()
    assert dict(span.resource.attributes) == CONFIG.resource
    assert span.instrumentation_scope is not None
    assert span.instrumentation_scope.name == "faultline"


def test_without_a_collector_traces_still_have_ids() -> None:
    with started() as telemetry, telemetry.tracer.start_as_current_span("s") as span:
        ids = span_ids()
        assert ids is not None
        assert ids.trace_id == trace.format_trace_id(span.get_span_context().trace_id)
        assert exported_span_ids() == ids
    assert span_ids() is None


def test_sampling_follows_the_parent() -> None:
    config = type(CONFIG)("orders", "1", "orders-1", None, sample_ratio=0)
    sampled = propagate.extract({"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"})
    exporter = InMemorySpanExporter()
    with started(config, span_exporter=exporter) as telemetry:
        telemetry.tracer.start_span("mine").end()
        telemetry.tracer.start_span("theirs", context=sampled).end()
    assert [span.name for span in exporter.get_finished_spans()] == ["theirs"]


def test_context_travels_as_w3c_headers() -> None:
    with started() as telemetry, telemetry.tracer.start_as_current_span("s"):
        headers: dict[str, str] = {}
        propagate.inject(headers)
        ids = span_ids()
        assert ids is not None
    assert list(headers) == ["traceparent"]
    version, trace_id, span_id, flags = headers["traceparent"].split("-")
    assert (version, trace_id, span_id) == ("00", *ids)
    assert int(flags, 16) & trace.TraceFlags.SAMPLED


def test_stock_instrumentations_get_stable_names_and_no_meters() -> None:
    with started() as telemetry:
        assert os.environ["OTEL_SEMCONV_STABILITY_OPT_IN"] == "http,database"
        assert isinstance(telemetry.meter_provider, NoOpMeterProvider)


def test_a_ratio_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="robability"), started(type(CONFIG)("o", "1", "o-1", None, sample_ratio=2)):
        pass


def test_the_configuration_does_not_print_its_secrets() -> None:
    assert "hush" not in repr(type(CONFIG)("o", "1", "o-1", None, secrets=frozenset({"hush"})))


def test_importing_telemetry_imports_no_framework_and_no_transport() -> None:
    code = "import sys, observability.telemetry; print(*sorted(m for m in sys.modules if '.' not in m))"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert "opentelemetry" in found
    assert not {"fastapi", "starlette", "aiohttp", "sqlalchemy", "grpc", "pydantic", "services"}.intersection(found)

"""What is done again and again stays out of the traces."""

from opentelemetry import trace
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from observability.unsampled import unsampled
from tests.unit.observability.harness import started


def test_spans_within_are_not_exported_and_spans_around_are() -> None:
    exporter = InMemorySpanExporter()
    with started(span_exporter=exporter) as telemetry:
        with telemetry.tracer.start_as_current_span("around") as around:
            with unsampled(), telemetry.tracer.start_as_current_span("within") as within:
                assert not within.is_recording()
                with telemetry.tracer.start_as_current_span("deeper"):
                    pass
            assert trace.get_current_span() is around
        assert [each.name for each in exporter.get_finished_spans()] == ["around"]

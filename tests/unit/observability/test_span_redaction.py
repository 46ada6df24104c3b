import contextlib

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode
from opentelemetry.util.types import AttributeValue

from observability.redaction import MASK, Redactor
from observability.span_redaction import redacted
from tests.unit.observability.harness import CONFIG, started


def test_no_secret_leaves_in_any_part_of_a_span() -> None:
    exporter = InMemorySpanExporter()
    link = Link(SpanContext(1, 2, is_remote=True), {"why": "flk_link"})
    with (
        started(span_exporter=exporter) as telemetry,
        contextlib.suppress(ValueError),
        telemetry.tracer.start_as_current_span("GET flk_name", kind=SpanKind.CLIENT, links=[link]) as span,
    ):
        span.set_attribute("http.request.header.x-api-key", ["hunter2"])
        span.set_attribute("url.query", "token=hunter2&limit=2")
        span.set_attribute("keys", ("flk_a", "b"))
        span.add_event("flk_event", {"authorization": "hunter2"})
        raise ValueError("flk_raised")
    (sent,) = exporter.get_finished_spans()
    assert "flk_" not in sent.to_json()
    assert "hunter2" not in sent.to_json()
    assert sent.attributes is not None
    assert sent.attributes["url.query"] == f"token={MASK}&limit=2"
    assert sent.kind is SpanKind.CLIENT
    assert sent.status.status_code is StatusCode.ERROR
    assert sent.context == span.get_span_context()
    assert sent.start_time is not None
    assert sent.end_time is not None
    assert sent.end_time >= sent.start_time
    assert [event.name for event in sent.events] == [MASK, "exception"]


@pytest.mark.parametrize(
    "secret", ["flk_x", b"flk_x", ["a", "flk_x"], {"deep": {"token": "flk_x"}}, {"deep": ["flk_x"]}]
)
def test_values_of_every_shape_are_cleaned(secret: AttributeValue) -> None:
    exporter = InMemorySpanExporter()
    with started(span_exporter=exporter) as telemetry, telemetry.tracer.start_as_current_span("s") as span:
        span.set_attribute("value", secret)
        span.set_attribute("count", 3)
    (sent,) = exporter.get_finished_spans()
    assert sent.attributes is not None
    assert "flk_x" not in repr(dict(sent.attributes))
    assert sent.attributes["count"] == 3


def test_a_secret_in_the_status_alone_is_found() -> None:
    exporter = InMemorySpanExporter()
    with started(span_exporter=exporter) as telemetry, telemetry.tracer.start_as_current_span("s") as span:
        span.set_status(Status(StatusCode.ERROR, "bad key flk_x"))
    assert exporter.get_finished_spans()[0].status.description == f"bad key {MASK}"


def test_a_clean_span_is_passed_on_as_it_is() -> None:
    exporter = InMemorySpanExporter()
    with started(CONFIG, span_exporter=exporter) as telemetry, telemetry.tracer.start_as_current_span("s") as span:
        span.set_attribute("http.route", "/api/v1/orders/{order_id}")
    (sent,) = exporter.get_finished_spans()
    assert redacted(sent, Redactor()) is sent

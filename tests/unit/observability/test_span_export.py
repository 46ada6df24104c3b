import io
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import CollectorRegistry

from observability import logs, tracing
from observability.metrics import Instruments
from observability.redaction import Redactor
from observability.semconv import SPAN_QUEUE_CAPACITY, SPAN_QUEUE_SIZE
from observability.span_export import BoundedSpanProcessor, ReportingExporter
from tests.unit.observability.harness import lines, samples, span_counts


class Gate(SpanExporter):
    """Holds every batch until it is opened."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.opened = threading.Event()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:  # noqa: ARG002  # the SDK's signature
        self.entered.set()
        return SpanExportResult.SUCCESS if self.opened.wait(60) else SpanExportResult.FAILURE


class Moody(SpanExporter):
    """Does as the test says."""

    def __init__(self) -> None:
        self.mood: SpanExportResult | Exception = SpanExportResult.SUCCESS

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:  # noqa: ARG002  # the SDK's signature
        if isinstance(self.mood, Exception):
            raise self.mood
        return self.mood


class Deaf(SpanExporter):
    """Is done with a batch when it is shut down."""

    def __init__(self) -> None:
        self.ended = threading.Event()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:  # noqa: ARG002  # the SDK's signature
        assert self.ended.wait(60)
        return SpanExportResult.FAILURE

    def shutdown(self) -> None:
        self.ended.set()


@pytest.fixture
def instruments() -> Instruments:
    return Instruments(CollectorRegistry())


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    stop = logs.start({}, "INFO", stream, Redactor())
    yield stream
    stop()


def batching(exporter: SpanExporter, instruments: Instruments, capacity: int) -> TracerProvider:
    reporting = ReportingExporter(exporter, "test", instruments, Redactor())
    processor = BoundedSpanProcessor(reporting, instruments, capacity=capacity, linger_s=60, shutdown_s=1)
    return tracing.tracer_provider({}, 1.0, processor)


def end_spans(provider: TracerProvider, count: int) -> None:
    tracer = provider.get_tracer("test")
    for _ in range(count):
        tracer.start_span("span").end()


def queue(instruments: Instruments) -> tuple[float, float]:
    """How many spans wait, and how many may."""
    size, capacity = (
        samples(instruments, metric.prometheus_name)[0].value for metric in (SPAN_QUEUE_SIZE, SPAN_QUEUE_CAPACITY)
    )
    return size, capacity


def test_the_counts_are_there_at_zero(instruments: Instruments) -> None:
    batching(InMemorySpanExporter(), instruments, 4).shutdown()
    assert queue(instruments) == (0, 4)
    assert span_counts(instruments) == {"exported": 0, "dropped": 0, "failed": 0}


def test_a_full_queue_drops_and_counts_and_keeps_the_rest(instruments: Instruments, log: io.StringIO) -> None:
    gate = Gate()
    provider = batching(gate, instruments, capacity=4)
    end_spans(provider, 4)  # one batch, taken at once
    assert gate.entered.wait(60)
    end_spans(provider, 4 + 3)
    assert span_counts(instruments)["dropped"] == 3
    assert queue(instruments) == (4, 4)
    gate.opened.set()
    provider.shutdown()
    assert span_counts(instruments) == {"exported": 8, "dropped": 3, "failed": 0}
    assert log.getvalue() == ""


def test_every_span_is_counted_once_whatever_the_threads_do(instruments: Instruments) -> None:
    provider = batching(InMemorySpanExporter(), instruments, capacity=16)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: end_spans(provider, 250), range(8)))
    provider.shutdown()
    end_spans(provider, 5)  # after the end: dropped
    counts = span_counts(instruments)
    assert sum(counts.values()) == 8 * 250 + 5
    assert counts["dropped"] >= 5
    assert counts["failed"] == 0


def test_unsampled_spans_take_no_place(instruments: Instruments) -> None:
    reporting = ReportingExporter(InMemorySpanExporter(), "test", instruments, Redactor())
    processor = BoundedSpanProcessor(reporting, instruments, capacity=1, linger_s=60, shutdown_s=1)
    provider = tracing.tracer_provider({}, 0.0, processor)
    end_spans(provider, 10)
    provider.shutdown()
    assert sum(span_counts(instruments).values()) == 0


def test_an_outage_is_said_once_and_its_end_once(instruments: Instruments, log: io.StringIO) -> None:
    exporter = Moody()
    provider = batching(exporter, instruments, capacity=4)
    for mood in [SpanExportResult.SUCCESS, SpanExportResult.FAILURE, SpanExportResult.FAILURE] * 2:
        exporter.mood = mood
        end_spans(provider, 1)
        provider.force_flush()
    provider.shutdown()
    said = [(line["level"], line["message"].split(":")[0]) for line in lines(log)]
    away, back = ("WARNING", "trace collector is away"), ("INFO", "trace collector is back")
    assert said == [away, back, away]
    assert span_counts(instruments) == {"exported": 2, "dropped": 0, "failed": 4}


def test_a_collector_that_is_known_to_be_away_is_not_waited_for(instruments: Instruments, log: io.StringIO) -> None:
    reporting = ReportingExporter(Deaf(), "test", instruments, Redactor())
    reporting.away = True
    processor = BoundedSpanProcessor(reporting, instruments, capacity=4, linger_s=60, shutdown_s=600)
    provider = tracing.tracer_provider({}, 1.0, processor)
    end_spans(provider, 1)
    provider.shutdown()
    assert span_counts(instruments) == {"exported": 0, "dropped": 0, "failed": 1}
    assert log.getvalue() == ""


def test_an_exporter_that_raises_costs_its_spans_and_no_more(instruments: Instruments, log: io.StringIO) -> None:
    exporter = Moody()
    provider = batching(exporter, instruments, capacity=4)
    exporter.mood = RuntimeError("broken")
    for _ in range(3):
        end_spans(provider, 1)
        provider.force_flush()
    exporter.mood = SpanExportResult.SUCCESS
    end_spans(provider, 1)
    provider.shutdown()
    assert span_counts(instruments) == {"exported": 1, "dropped": 0, "failed": 3}
    assert [line.get("exception.message") for line in lines(log)] == ["broken", None, None]

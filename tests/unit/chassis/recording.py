"""Telemetry that keeps what it is told, for tests to read."""

import io
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import Metric as Family
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from observability import telemetry
from observability.semconv import Metric, prometheus_label
from observability.telemetry import Telemetry, TelemetryConfig

OPENMETRICS = "application/openmetrics-text; version=1.0.0"


class Recording:
    """One process's telemetry; spans are there as soon as they end."""

    def __init__(self, running: Telemetry, exporter: InMemorySpanExporter, log: io.StringIO) -> None:
        self.telemetry, self._exporter, self._log = running, exporter, log

    @property
    def spans(self) -> list[ReadableSpan]:
        """Ended spans, in the order in which they ended."""
        return list(self._exporter.get_finished_spans())

    def forget_spans(self) -> None:
        self._exporter.clear()

    def named(self, name: str) -> ReadableSpan:
        """The only span called `name`."""
        found = [span for span in self.spans if span.name == name]
        assert len(found) == 1, f"{len(found)} spans named {name!r} among {[span.name for span in self.spans]}"
        return found[0]

    def children(self, parent: ReadableSpan) -> list[ReadableSpan]:
        return [span for span in self.spans if span.parent and span.parent.span_id == id_of(parent)]

    def count(self, metric: Metric, *labels: str) -> int | None:
        """What a counter or a histogram has counted under these label values; None if that child does not exist."""
        suffix = {"histogram": "_count"}.get(metric.kind, "")
        wanted = dict(zip(map(prometheus_label, metric.labels), labels, strict=True))
        body, _ = self.telemetry.metrics.exposition(OPENMETRICS)
        families: Iterable[Family] = text_string_to_metric_families(body.decode())  # type: ignore[no-untyped-call]
        for sample in (sample for family in families for sample in family.samples):
            if sample.name == metric.prometheus_name + suffix and sample.labels == wanted:
                return int(sample.value)
        return None

    @property
    def log_lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._log.getvalue().splitlines()]

    def logged(self, message: str) -> dict[str, Any]:
        """The only log line with this message."""
        found = [line for line in self.log_lines if line["message"] == message]
        assert len(found) == 1, [line["message"] for line in self.log_lines]
        return found[0]


def id_of(span: ReadableSpan) -> int:
    """The span's id."""
    assert span.context
    number: int = span.context.span_id
    return number


def trace_of(span: ReadableSpan) -> str:
    """The id of the span's trace, as headers spell it."""
    assert span.context
    return f"{span.context.trace_id:032x}"


def attributes_of(span: ReadableSpan) -> dict[str, Any]:
    """The span's attributes."""
    return dict(span.attributes or {})


@contextmanager
def recording() -> Iterator[Recording]:
    """Telemetry of a process called `toy` that exports to the test."""
    exporter, log = InMemorySpanExporter(), io.StringIO()
    running = telemetry.start(TelemetryConfig("toy", "0", "toy-1", None), log_stream=log, span_exporter=exporter)
    try:
        yield Recording(running, exporter, log)
    finally:
        running.shutdown()

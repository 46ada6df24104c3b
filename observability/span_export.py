"""Sends ended spans on and knows what became of each: exported, failed, or dropped.

    span ends -> BoundedSpanProcessor -> (batches, another thread) -> ReportingExporter -> the exporter proper

Both count into `semconv.TELEMETRY_SPANS`; together the three counts are all sampled spans that ended and left the queue.
"""

import logging
import threading
from collections.abc import Sequence
from typing import Final

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from observability.metrics import Instruments
from observability.redaction import Redactor
from observability.semconv import (
    SPAN_QUEUE_CAPACITY,
    SPAN_QUEUE_SIZE,
    SPANS_DROPPED,
    SPANS_EXPORTED,
    SPANS_FAILED,
    TELEMETRY_RESULTS,
    TELEMETRY_SPANS,
)
from observability.span_redaction import redacted

_log = logging.getLogger(__name__)

# The exporter's and the batch processor's own complaints repeat with every batch; what they say is said here, once.
_NOISY: Final = ("opentelemetry.exporter.otlp.proto.grpc.exporter", "opentelemetry.sdk._shared_internal")


class SpanQueue:
    """How many spans are waiting, at most `capacity`. Safe to use from any thread."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._waiting = 0
        self._closed = False
        self._lock = threading.Lock()

    @property
    def waiting(self) -> int:
        """How many are there now."""
        return self._waiting

    def enter(self) -> bool:
        """Take a place, unless the queue is full or closed."""
        with self._lock:
            if self._closed or self._waiting >= self.capacity:
                return False
            self._waiting += 1
            return True

    def leave(self, spans: int) -> None:
        """Give places back."""
        with self._lock:
            self._waiting -= spans

    def close(self) -> None:
        """Let nobody in any more; who waits may still leave."""
        with self._lock:
            self._closed = True


class ReportingExporter(SpanExporter):
    """Passes spans on without secrets, counts them, and says once that the collector is away and once that it is back."""

    def __init__(self, exporter: SpanExporter, where: str, instruments: Instruments, redactor: Redactor) -> None:
        self._exporter = exporter
        self._where = where
        self._instruments = instruments
        self._redactor = redactor
        self.away = False
        for result in TELEMETRY_RESULTS:
            instruments.zero(TELEMETRY_SPANS, result)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._try(spans)
        exported = result is SpanExportResult.SUCCESS
        self._instruments.add(TELEMETRY_SPANS, SPANS_EXPORTED if exported else SPANS_FAILED, amount=len(spans))
        self._report(away=not exported)
        return result

    def _try(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        try:
            return self._exporter.export([redacted(span, self._redactor) for span in spans])
        except Exception:  # noqa: BLE001  # whatever an exporter raises costs its spans, never the thread that exports
            if not self.away:
                _log.warning("trace exporter failed", exc_info=True, extra={"collector": self._where})
            return SpanExportResult.FAILURE

    def _report(self, *, away: bool) -> None:
        if away and not self.away:
            _log.warning("trace collector is away: spans are lost until it is back", extra={"collector": self._where})
        elif self.away and not away:
            _log.info("trace collector is back", extra={"collector": self._where})
        self.away = away

    def shutdown(self) -> None:
        """Let an export in flight, and every later one, fail at once. May be called from another thread, and again."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)


class BoundedSpanProcessor(BatchSpanProcessor):
    """The SDK's batching, off the caller's thread, with a queue that counts what it turns away.

    The SDK (1.45) drops the *oldest* span when its queue is full, and tells it only to its own logger and to metrics that an
    environment variable must enable. Here a full queue turns away the newest before the SDK's queue can overflow.
    `linger_s` is how long a span may wait for its batch; `shutdown` returns within about `shutdown_s`.
    """

    def __init__(
        self,
        exporter: ReportingExporter,
        instruments: Instruments,
        *,
        capacity: int,
        linger_s: float,
        shutdown_s: float,
    ) -> None:
        self._exporter = exporter
        self._instruments = instruments
        self._queue = SpanQueue(capacity)
        instruments.set(SPAN_QUEUE_CAPACITY, capacity)
        instruments.follow(SPAN_QUEUE_SIZE, lambda: self._queue.waiting)
        self._shutdown_s = shutdown_s
        _silence_the_sdk()
        super().__init__(
            _Leaving(exporter, self._queue),
            max_queue_size=capacity,
            max_export_batch_size=min(512, capacity),
            schedule_delay_millis=linger_s * 1000,
        )

    def on_end(self, span: ReadableSpan) -> None:
        if span.context is None or not span.context.trace_flags.sampled:
            return
        if self._queue.enter():
            super().on_end(span)
        else:
            self._instruments.add(TELEMETRY_SPANS, SPANS_DROPPED)

    def shutdown(self) -> None:
        """Send what waits; give up at once if the collector is away, else when the time is over."""
        self._queue.close()
        giving_up = threading.Timer(0 if self._exporter.away else self._shutdown_s, self._exporter.shutdown)
        giving_up.daemon = True
        giving_up.start()
        super().shutdown()  # type: ignore[no-untyped-call]  # the SDK left it untyped
        giving_up.cancel()
        self._exporter.shutdown()


class _Leaving(SpanExporter):
    """Tells the queue that a batch has left it."""

    def __init__(self, exporter: SpanExporter, queue: SpanQueue) -> None:
        self._exporter = exporter
        self._queue = queue

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self._queue.leave(len(spans))
        return self._exporter.export(spans)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)


def _silence_the_sdk() -> None:
    """Hush the loggers that repeat what `ReportingExporter` says once."""
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)

"""Records the metrics that `semconv` declares, in one Prometheus registry, and writes them as OpenMetrics."""

import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Final

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import choose_encoder

from observability import semconv
from observability.current_span import exported_span_ids
from observability.redaction import Redactor
from observability.semconv import Metric

LabelValue = str | int
Family = Counter | Gauge | Histogram

_KINDS: Final[Mapping[str, Callable[..., Family]]] = {"counter": Counter, "gauge": Gauge, "histogram": Histogram}


class Instruments:
    """The metrics of one process. Label values are given in the order of `Metric.labels`; an unused label is empty.

    A family appears with its first child; children are cached, so that recording costs a look-up and an addition.
    Safe to use from any thread. A wrong number of label values raises ValueError.
    """

    def __init__(self, registry: CollectorRegistry, redactor: Redactor | None = None) -> None:
        self._registry = registry
        self._redactor = redactor or Redactor()
        self._families: dict[str, Family] = {}
        self._children: defaultdict[str, dict[tuple[LabelValue, ...], Family]] = defaultdict(dict)
        self._lock = threading.Lock()
        # A `_created` series beside each child doubles what Prometheus stores, and it reads them only behind a flag.
        prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]  # the library left it untyped

    def observe(self, metric: Metric, value: float, *labels: LabelValue) -> None:
        """Put one value, in the metric's unit, into a histogram, with the current span as its exemplar."""
        child = self._child(metric, labels)
        if not isinstance(child, Histogram):
            raise TypeError(f"{metric.name} is a {metric.kind}: only a histogram can be observed")
        child.observe(value, exemplar=_exemplar())

    def add(self, metric: Metric, *labels: LabelValue, amount: float = 1) -> None:
        """Add to a counter (never less than 0) or to a gauge."""
        match self._child(metric, labels):
            case Counter() as counter:
                counter.inc(amount, exemplar=_exemplar())
            case Gauge() as gauge:
                gauge.inc(amount)
            case _:
                raise TypeError(f"{metric.name} is a {metric.kind}: it is observed, not added to")

    def counter(self, metric: Metric, *labels: LabelValue) -> Callable[[], None]:
        """What adds 1 to that counter whenever it is called: for what happens so often that looking it up would tell."""
        child = self._child(metric, labels)
        if not isinstance(child, Counter):
            raise TypeError(f"{metric.name} is a {metric.kind}: only a counter counts")
        return lambda: child.inc(exemplar=_exemplar())

    def set(self, metric: Metric, value: float, *labels: LabelValue) -> None:
        """Set a gauge to a value in the metric's unit."""
        child = self._child(metric, labels)
        if not isinstance(child, Gauge):
            raise TypeError(f"{metric.name} is a {metric.kind}: only a gauge can be set")
        child.set(value)

    def follow(self, metric: Metric, read: Callable[[], float], *labels: LabelValue) -> None:
        """Let a gauge be what `read` says whenever it is looked at: for what changes far more often than that."""
        child = self._child(metric, labels)
        if not isinstance(child, Gauge):
            raise TypeError(f"{metric.name} is a {metric.kind}: only a gauge can follow something")
        child.set_function(read)

    def zero(self, metric: Metric, *labels: LabelValue) -> None:
        """Make the child exist, at 0 if it is new: the first error must be an increase, not a series out of nowhere."""
        self._child(metric, labels)

    def exposition(self, accept: str = "") -> tuple[bytes, str]:
        """Everything recorded, as (body, content type): OpenMetrics with exemplars if `accept` names it, else plain text."""
        encode, content_type = choose_encoder(accept)
        return encode(self._registry), content_type

    def _child(self, metric: Metric, labels: tuple[LabelValue, ...]) -> Family:
        child = self._children[metric.name].get(labels)
        return self._new_child(metric, labels) if child is None else child

    def _new_child(self, metric: Metric, labels: tuple[LabelValue, ...]) -> Family:
        with self._lock:
            family = self._families.get(metric.name) or self._new_family(metric)
            values = [self._redactor.text(str(value)) for value in labels]
            if len(values) != len(metric.labels):
                raise ValueError(f"{metric.name} takes values for {metric.labels}, not {len(values)}")
            child = family.labels(*values) if values else family
            self._children[metric.name][labels] = child
            return child

    def _new_family(self, metric: Metric) -> Family:
        options = {"buckets": metric.buckets} if metric.buckets else {}
        family = _KINDS[metric.kind](
            metric.prometheus_name,
            metric.help,
            metric.prometheus_labels,
            unit=metric.unit_suffix,
            registry=self._registry,
            **options,
        )
        self._families[metric.name] = family
        return family


def _exemplar() -> dict[str, str] | None:
    ids = exported_span_ids()
    return ids and {semconv.TRACE_ID: ids.trace_id, semconv.SPAN_ID: ids.span_id}

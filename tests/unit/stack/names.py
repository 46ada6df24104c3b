"""Which metrics there are, with which labels; and which of them an expression uses."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import promql_parser
from promql_parser import (
    AggregateExpr,
    BinaryExpr,
    Call,
    Expr,
    MatrixSelector,
    StringLiteral,
    VectorSelector,
)

from observability import semconv
from observability.semconv import Metric
from tests.unit.stack.expressions import Expression

OURS = tuple(each for each in vars(semconv).values() if isinstance(each, Metric))
OF_TARGETS = frozenset({"job", "service", "instance"})
"""Labels that Prometheus gives to all that it scrapes."""

_SCRAPE = ("duration_seconds", "samples_scraped", "samples_post_metric_relabeling", "series_added")
_COLLECTOR = (
    "receiver_accepted_spans_total",
    "receiver_refused_spans_total",
    "exporter_sent_spans_total",
    "process_memory_rss_bytes",
)
_SPAN = frozenset({"service_name", "span_name", "span_kind", "status_code"})
STANDARD: Mapping[str, frozenset[str]] = {
    "up": OF_TARGETS,
    **{f"scrape_{name}": OF_TARGETS for name in _SCRAPE},
    "process_cpu_seconds_total": OF_TARGETS,
    "process_resident_memory_bytes": OF_TARGETS,
    "python_gc_collections_total": OF_TARGETS | {"generation"},
    # What Jaeger, an OpenTelemetry Collector, tells of itself, and what it counts of spans.
    **{f"otelcol_{name}": OF_TARGETS | {"receiver", "transport", "exporter"} for name in _COLLECTOR},
    "traces_span_metrics_calls_total": OF_TARGETS | _SPAN,
    **{
        f"traces_span_metrics_duration_seconds_{part}": OF_TARGETS | _SPAN | {"le"}
        for part in ("bucket", "sum", "count")
    },
}
"""Series that are not ours, and their labels."""

ALERTS = "ALERTS"
"""Prometheus' own, with the labels of all alerts."""

Labels = Mapping[str, frozenset[str]]


def series_of(metric: Metric) -> dict[str, frozenset[str]]:
    """Name → labels of the series that a metric has in Prometheus."""
    name, labels = metric.prometheus_name, frozenset(metric.prometheus_labels) | OF_TARGETS
    if metric.kind != "histogram":
        return {name: labels}
    return {f"{name}_bucket": labels | {"le"}, f"{name}_sum": labels, f"{name}_count": labels}


def known(rules: Iterable[Expression]) -> Labels:
    """Name → labels of all series: declared, standard, and recorded or fired by `rules`."""
    found: dict[str, frozenset[str]] = dict(STANDARD)
    for metric in OURS:
        found |= series_of(metric)
    alerts = frozenset({"alertname", "alertstate"})
    for rule in rules:
        labels = frozenset(rule.labels) | frozenset(kept(rule.parsed))
        if rule.record:
            found[rule.record] = found.get(rule.record, frozenset()) | labels
        alerts |= labels | {"slo", "journey"}
    return {**found, ALERTS: alerts}


def kept(expression: Expr) -> Iterator[str]:
    """Labels that an expression's outer aggregations keep or make."""
    for node in nodes(expression):
        if isinstance(node, AggregateExpr) and node.modifier:
            yield from node.modifier.labels
        if (made := _made_label(node)) is not None:
            yield made


def nodes(expression: Expr) -> list[Expr]:
    """Every part of it, and itself."""
    found: list[Expr] = []
    promql_parser.walk(expression, pre_visit=found.append)
    return found


def selectors(expression: Expr) -> Iterator[VectorSelector]:
    """Every place where series are named."""
    for node in nodes(expression):
        if isinstance(node, MatrixSelector):
            yield node.vector_selector
        elif isinstance(node, VectorSelector):
            yield node


def name_of(selector: VectorSelector) -> str:
    """The series' name. A pattern of names is none: what it finds cannot be checked."""
    assert selector.name, f"{selector}: names no series"
    return selector.name


@dataclass
class Wrong:
    """What an expression names that is nowhere."""

    metrics: set[str] = field(default_factory=set)
    labels: set[str] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.metrics or self.labels)


def wrong_in(expression: Expr, series: Labels) -> Wrong:
    """Metrics that are unknown, labels that their series do not have, and groupings by labels that nothing below has."""
    wrong, present = Wrong(), set[str]()
    for each in selectors(expression):
        labels = series.get(name_of(each))
        if labels is None:
            wrong.metrics.add(name_of(each))
            continue
        present |= labels
        wrong.labels |= {f"{name_of(each)}: {one.name}" for one in each.matchers.matchers if one.name not in labels}
    present |= {made for node in nodes(expression) if (made := _made_label(node)) is not None}
    wrong.labels |= {label for node in nodes(expression) for label in _grouping(node) if label not in present}
    return wrong


def _grouping(node: Expr) -> Iterator[str]:
    """Labels that an aggregation or a matching of two vectors names."""
    if isinstance(node, AggregateExpr) and node.modifier:
        yield from node.modifier.labels
    if isinstance(node, BinaryExpr) and node.modifier:
        yield from node.modifier.matching.labels if node.modifier.matching else ()
        yield from node.modifier.group_labels or ()
    if isinstance(node, Call) and node.func.name == "label_replace":
        yield _text(node.args[3])


def _made_label(node: Expr) -> str | None:
    return _text(node.args[1]) if isinstance(node, Call) and node.func.name == "label_replace" else None


def _text(node: object) -> str:
    assert isinstance(node, StringLiteral), node
    return node.val


def mentioned(text: str) -> set[str]:
    """Every word of a document that could be a series' name."""
    return set(re.findall(r"[a-zA-Z_:][a-zA-Z0-9_:]*", text))

"""What dashboards and rules name exists, and what exists is used."""

import re
from functools import cache
from pathlib import Path

import pytest
from promql_parser import BinaryExpr, Expr, NumberLiteral, ParenExpr

from observability import semconv
from observability.semconv import Metric
from tests.architecture.source import modules
from tests.conftest import CHECKOUT
from tests.unit.stack.expressions import Expression, everywhere, of_rules
from tests.unit.stack.names import OURS, known, mentioned, name_of, nodes, selectors, series_of, wrong_in

EXPRESSIONS = everywhere()
SERIES = known(of_rules())
DECLARATION = re.compile(r"(?<![.\w])(semconv\.)?Metric\(")

each_expression = pytest.mark.parametrize("expression", EXPRESSIONS, ids=str)


@each_expression
def test_every_metric_and_label_exists(expression: Expression) -> None:
    wrong = wrong_in(expression.parsed, SERIES)
    assert not wrong, f"{expression.text}: {wrong}: neither in observability/semconv nor recorded by a rule"


@pytest.mark.parametrize("metric", OURS, ids=lambda metric: metric.name)
def test_every_metric_is_used(metric: Metric) -> None:
    """By a panel, a rule or a document: what nobody looks at is cost alone."""
    assert _used() & {*series_of(metric), metric.prometheus_name}, f"nothing uses {metric.prometheus_name}"


@cache
def _used() -> frozenset[str]:
    documents = [CHECKOUT / "README.md", *(CHECKOUT / "docs").rglob("*.md")]
    told = {word for each in documents for word in mentioned(each.read_text("utf-8"))}
    return frozenset(told | {name_of(each) for expression in EXPRESSIONS for each in selectors(expression.parsed)})


@each_expression
def test_a_share_of_nothing_is_zero_and_no_gap(expression: Expression) -> None:
    """A part that has no series yet must not take the whole ratio away."""
    for node in nodes(expression.parsed):
        if isinstance(node, BinaryExpr) and str(node.op) == "/" and _is_part(node.lhs, node.rhs):
            assert _survives(node.lhs), f"{node.lhs.prettify()} may be empty where {node.rhs.prettify()} is not"


def _is_part(part: Expr, whole: Expr) -> bool:
    """Whether the dividend chooses among the divisor's series."""
    return any(
        {str(each) for each in one.matchers.matchers} - {str(each) for each in other.matchers.matchers}
        and _base(name_of(one)) == _base(name_of(other))
        for one in selectors(part)
        for other in selectors(whole)
    )


def _base(series: str) -> str:
    return series.removesuffix("_bucket").removesuffix("_sum").removesuffix("_count")


def _survives(part: Expr) -> bool:
    while isinstance(part, ParenExpr):
        part = part.expr
    return isinstance(part, BinaryExpr) and str(part.op) == "or"


def test_metrics_are_declared_in_one_place() -> None:
    """What is declared elsewhere, none of the above has seen."""
    one_place = Path("observability/semconv")
    elsewhere = [
        str(path)
        for path in modules(CHECKOUT)
        if not path.is_relative_to(one_place) and path.parts[0] != "tests"
        if DECLARATION.search((CHECKOUT / path).read_text("utf-8"))
    ]
    assert not elsewhere


# --- the checks themselves find what is wrong ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "metrics", "labels"),
    [
        ("rate(faultline_retrys_total[1m])", {"faultline_retrys_total"}, set()),
        ("sum(http_server_request_duration_seconds)", {"http_server_request_duration_seconds"}, set()),
        ('up{servce="orders"}', set(), {"up: servce"}),
        ("sum by (callee) (rate(faultline_retries_total[1m]))", set(), {"callee"}),
        ('sum by (callee) (label_replace(up, "callee", "$1", "service", "(.*)"))', set(), set()),
        ('label_replace(up, "callee", "$1", "servce", "(.*)")', set(), {"servce"}),
        ("up / on (pod) up", set(), {"pod"}),
        ('faultline_server_limit{le="1"}', set(), {"faultline_server_limit: le"}),
    ],
)
def test_what_is_nowhere_is_found(text: str, metrics: set[str], labels: set[str]) -> None:
    wrong = wrong_in(Expression("here", text).parsed, SERIES)
    assert (wrong.metrics, wrong.labels) == (metrics, labels)


@pytest.mark.parametrize(
    ("text", "survives"),
    [
        ('sum(rate(a_total{x="1"}[1m])) / sum(rate(a_total[1m]))', False),
        ('(sum(rate(a_total{x="1"}[1m])) or 0 * sum(rate(a_total[1m]))) / sum(rate(a_total[1m]))', True),
        ('sum(rate(a_bucket{le="1"}[1m])) / sum(rate(a_count[1m]))', False),
    ],
)
def test_a_share_that_may_be_a_gap_is_found(text: str, survives: bool) -> None:
    division = Expression("here", text).parsed
    assert isinstance(division, BinaryExpr)
    assert _is_part(division.lhs, division.rhs)
    assert _survives(division.lhs) == survives


def test_a_whole_divided_by_something_else_is_no_share() -> None:
    division = Expression("here", "sum(rate(a_total[1m])) / sum(rate(b_total[1m]))").parsed
    assert isinstance(division, BinaryExpr)
    assert not _is_part(division.lhs, division.rhs)


def test_an_unused_metric_is_found() -> None:
    unused = Metric("faultline.of.no.use", "", "gauge", (), "Nothing.")
    with pytest.raises(AssertionError, match="nothing uses faultline_of_no_use"):
        test_every_metric_is_used(unused)


def test_a_declaration_is_found() -> None:
    assert DECLARATION.search('SPANS: Final = Metric("a", "", "gauge", (), "")')
    assert DECLARATION.search("return semconv.Metric(name)")
    assert not DECLARATION.search("class MyMetric(Metric): ...")


def test_there_is_something_to_check() -> None:
    assert len(EXPRESSIONS) > 100
    assert semconv.CALL_DURATION in OURS
    assert not any(isinstance(each.parsed, NumberLiteral) for each in EXPRESSIONS)

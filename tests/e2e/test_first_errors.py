"""The first error counts: what panels and rules count of the rare is there, at zero, before anything has happened."""

import re
from collections.abc import Iterator, Mapping
from functools import cache

import promql_parser
import pytest
from promql_parser import Call, MatchOp, MatrixSelector, VectorSelector

from deploy.system import System
from observability import semconv
from tests.e2e.metrics import families
from tests.unit.stack.expressions import Expression, everywhere
from tests.unit.stack.names import OURS, nodes, series_of

COUNTING = {"rate", "increase"}
OF_WHOM = {"job", "service", "instance", "le", semconv.prometheus_label(semconv.CALLEE)}
"""Labels that say whose requests are counted; every other one says what became of them."""
ELSEWHERE = {
    name
    for metric in (*semconv.BACKEND_METRICS, *semconv.ALERTING_METRICS, semconv.LOAD_REQUESTS)
    for name in series_of(metric)
}
"""Series of processes that are no services."""
KNOWN = {name for metric in OURS for name in series_of(metric)}

Labels = Mapping[str, str]


def rare() -> Iterator[tuple[Expression, VectorSelector]]:
    """Every place where something is counted by what became of it."""
    told: set[str] = set()
    for expression in everywhere():
        for selector in _counted(expression):
            if str(selector) not in told and any(each.name not in OF_WHOM for each in selector.matchers.matchers):
                told.add(str(selector))
                yield expression, selector


def _counted(expression: Expression) -> Iterator[VectorSelector]:
    for node in nodes(expression.parsed):
        if isinstance(node, Call) and node.func.name in COUNTING and isinstance(node.args[0], MatrixSelector):
            selector = node.args[0].vector_selector
            if selector.name in KNOWN - ELSEWHERE:
                yield selector


RARE = list(rare())


@cache
def series(system: System) -> Mapping[str, list[Labels]]:
    """Name → labels of everything that the services tell."""
    found: dict[str, list[Labels]] = {}
    for process in system.topology["processes"]:
        if "CONTROL_PORT" not in process["listeners"]:
            continue
        target = {"job": "faultline", "service": process["service"], "instance": process["instance"]}
        for family in families(system.url(process["instance"], "ADMIN_PORT")).values():
            for sample in family.samples:
                found.setdefault(sample.name, []).append({**sample.labels, **target})
    return found


@pytest.mark.parametrize(("expression", "selector"), RARE, ids=[str(selector) for _, selector in RARE])
def test_what_is_counted_is_there_before_it_happens(
    own_system: System, expression: Expression, selector: VectorSelector
) -> None:
    there = series(own_system).get(str(selector.name), [])
    assert any(_matches(selector, each) for each in there), f"{expression.where}: nothing tells {selector} at zero"


def test_every_alternative_is_there_before_it_happens(own_system: System) -> None:
    """`INTERNAL|UNAVAILABLE`: the first of each counts."""
    absent = [
        f"{expression.where}: {selector}: {value}"
        for expression, selector in RARE
        for label, value in alternatives(selector)
        if not any(_matches(selector, each) and each[label] == value for each in series(own_system)[str(selector.name)])
    ]
    assert not absent, "\n".join(absent)


def alternatives(selector: VectorSelector) -> Iterator[tuple[str, str]]:
    """Label and value of each choice that a pattern names in full."""
    for each in selector.matchers.matchers:
        if each.op == MatchOp.Re and each.name not in OF_WHOM:
            yield from ((each.name, one) for one in each.value.split("|") if one.isidentifier())


def _matches(selector: VectorSelector, labels: Labels) -> bool:
    return all(_holds(each, labels.get(each.name, "")) for each in selector.matchers.matchers)


def _holds(matcher: promql_parser.Matcher, value: str) -> bool:
    exact, wanted = matcher.op in (MatchOp.Equal, MatchOp.NotEqual), matcher.op in (MatchOp.Equal, MatchOp.Re)
    matched = value == matcher.value if exact else re.fullmatch(matcher.value, value) is not None
    return matched is bool(wanted)


def test_there_is_something_rare_to_look_for() -> None:
    assert len(RARE) > 10

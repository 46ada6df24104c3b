"""Panels and rules return data from a real Prometheus while the system is under load and faults, and show what happens."""

import math
import time
from collections.abc import Collection, Iterator

import pytest

from chaos.control import target
from deploy.system import System, start_system
from tests.backends.clients import Prometheus
from tests.backends.panels.commotion import Commotion, commotion
from tests.backends.panels.probes import inlined, of_rule_files, only_of_jaeger, texts
from tests.backends.programs import READY_WITHIN_S, found, need
from tests.e2e.topologies import NARROW_REFERENCE
from tests.unit.stack.expressions import Expression, of_dashboards, of_data_sources
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(500)

LOAD_RPS = 10.0
WITHIN_S = 300.0

SHOWN = {
    "overview.json": {
        "Burn rate A",
        "Alerts that fire A",
        "Traffic A",
        "Traffic B",
        "Errors B",
        "Duration (p99, p50) A",
        "Checkouts, by how they ended A",
    },
    "edges.json": {
        "Rate A",
        "Errors A",
        "Attempts per call A",
        "Duration of attempts (p99) B",
        "Units of work (p95) A",
    },
    "resilience.json": {
        "Moves, by the state they came to A",
        "Attempts not let pass A",
        "Attempts beyond the first, by outcome A",
        "Failed calls not made again, by why A",
        "Refused by the budget A",
        "Hedges, by what became of them A",
        "Fallbacks A",
        "Requests refused A",
    },
    "chaos.json": {
        "Faults in force A",
        "Touched in this time A",
        "Experiments, by the policies of the arm A",
        "Touched, by service and kind A",
        "Steady load, by what became of it A",
        "annotation Experiments",
    },
    "cost.json": {"Spans per request A", "Kept A", "Series, by service A"},
}
"""Panels that must show more than zeros while all this happens."""

OPEN = 3
"""An open circuit breaker in the timeline."""

PANELS = [*of_dashboards(), *of_data_sources()]


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    need("prometheus")
    programs = [each for each in ("prometheus", "jaeger") if each in found()]
    with start_system(
        tmp_path_factory.mktemp("stirred"),
        topology=NARROW_REFERENCE,
        programs=programs,
        load_rps=LOAD_RPS,
        ready_deadline_s=READY_WITHIN_S,
    ) as started:
        yield started


@pytest.fixture(scope="module")
def watching(system: System) -> Prometheus:
    return Prometheus(system.topology["prometheus_url"])


@pytest.fixture(scope="module")
def stirred(system: System) -> Iterator[Commotion]:
    with commotion(system, target.read(system.state.path)) as stirred:
        yield stirred


def speaks(watching: Prometheus, expression: Expression, least: float) -> bool:
    """Whether it has a value above `least` now; 0/0 is none."""
    try:
        values = watching.query(expression.text)
    except OSError as exc:
        raise AssertionError(f"{expression.where}: Prometheus does not answer: {exc}") from exc
    return any(each.value > least for each in values if not math.isnan(each.value))


def all_speak(
    watching: Prometheus, stirred: Commotion, expressions: Collection[Expression], least: float = -math.inf
) -> None:
    """Each has such a value at some time, not all at once."""
    left = list(expressions)
    assert left

    def check() -> None:
        nonlocal left
        stirred.keep_up()
        left = [each for each in left if not speaks(watching, each, least)]
        assert not left, "\n".join(f"{each.where}: {each.text}" for each in left)

    eventually(check, WITHIN_S)


def test_every_panel_has_data(watching: Prometheus, stirred: Commotion) -> None:
    all_speak(watching, stirred, [each for each in PANELS if not only_of_jaeger(each)])


def test_panels_of_what_jaeger_tells_have_data(watching: Prometheus, stirred: Commotion) -> None:
    need("jaeger")
    all_speak(watching, stirred, [each for each in PANELS if only_of_jaeger(each)])


def test_every_rule_rests_on_data(watching: Prometheus, stirred: Commotion) -> None:
    all_speak(watching, stirred, list(of_rule_files()))


def test_panels_show_what_happens(watching: Prometheus, stirred: Commotion) -> None:
    wanted = {f"{file}: {title}" for file, titles in SHOWN.items() for title in titles}
    chosen = [each for each in PANELS if each.where in wanted]
    assert {each.where for each in chosen} == wanted
    all_speak(watching, stirred, chosen, least=0)


def test_a_timeline_shows_that_a_breaker_is_open(watching: Prometheus, stirred: Commotion) -> None:
    timelines = [each for each in PANELS if each.where.endswith(": Circuit breakers A")]
    assert len(timelines) == 2
    all_speak(watching, stirred, timelines, least=OPEN - 1)


def test_points_lead_to_traces(watching: Prometheus, stirred: Commotion) -> None:
    """Wherever a panel asks for exemplars there are some."""
    asked, began = [each for each in PANELS if each.exemplars], time.time() - WITHIN_S

    def check() -> None:
        stirred.keep_up()
        there = {each.where: watching.exemplars(each.text, began, time.time()) for each in asked}
        assert there
        assert not [where for where, exemplars in there.items() if not exemplars]
        assert all(one["labels"]["trace_id"] for exemplars in there.values() for one in exemplars)

    eventually(check, WITHIN_S)


def test_prometheus_takes_every_rule(watching: Prometheus) -> None:
    def check() -> None:
        rules = watching.rules()
        assert rules
        assert not [each for each in rules if each["health"] != "ok"]

    eventually(check, WITHIN_S)


@pytest.mark.parametrize(
    ("text", "rests_on"),
    [
        ("up == 0", ["up"]),
        ("(sum(a) > 1 and b >= 5) or c", ["sum(a)", "b", "c"]),
        ("sum(rate(a_total[1m])) or vector(0)", ["sum(rate(a_total[1m])) or vector(0)"]),
        ("absent(up)", ["up"]),
        ("a / (b > 0)", ["a / (b > 0)"]),
        ("vector(1)", ["vector(1)"]),
        ("a > 14.4 * 0.01", ["a"]),
    ],
)
def test_what_a_rule_rests_on(text: str, rests_on: list[str]) -> None:
    assert list(texts(Expression("here", text).parsed)) == rests_on


def test_recorded_series_stand_for_what_records_them() -> None:
    rules = [
        Expression("r", "sum(a)", record="x:a", labels={"slo": "one"}),
        Expression("r", "sum(b)", record="x:a", labels={"slo": "two"}),
        Expression("r", 'x:a{slo="two"} / 2', record="x:b"),
    ]
    found_texts = texts(inlined(Expression("here", "x:b > 1").parsed, rules))
    assert list(found_texts) == ["(sum(b)) / 2"]

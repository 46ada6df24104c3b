"""Panels and rules return data from a real Prometheus while the system is under load and faults, and show what happens."""

import time
from collections.abc import Collection, Iterator

import pytest

from chaos.control import target
from deploy.system import System, start_system
from observability.stack.generators import FOLDER
from tests.backends.panels import probes, prometheus
from tests.backends.panels.commotion import Commotion, commotion
from tests.backends.panels.prometheus import Prometheus
from tests.e2e.topologies import NARROW_REFERENCE
from tests.unit.stack.expressions import Expression, of_dashboards, of_data_sources
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(500)

LOAD_RPS = 10.0
WITHIN_S = 200.0
RULES = FOLDER / "prometheus" / "rules.demo.yml"

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
        "Failed calls that were not made again, by why A",
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
    "cost.json": {"Spans per request A", "Kept right now A", "Series, by service A"},
}
"""Panels that must show more than zeros while all this happens."""

OPEN = 3
"""An open circuit breaker in the timeline."""


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    prometheus.program()
    folder = tmp_path_factory.mktemp("system")
    with start_system(folder, topology=NARROW_REFERENCE, load_rps=LOAD_RPS) as started:
        yield started


@pytest.fixture(scope="module")
def watching(system: System, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    with prometheus.over(system, tmp_path_factory.mktemp("prometheus"), [RULES]) as running:
        yield running


@pytest.fixture(scope="module")
def stirred(system: System) -> Iterator[Commotion]:
    with commotion(system, target.read(system.state.path)) as stirred:
        yield stirred


def silent(found: Prometheus, expressions: Collection[Expression], least: float = -float("inf")) -> list[Expression]:
    """Those that return nothing above `least` right now."""
    return [each for each in expressions if not any(value > least for value in found.values(each.text))]


def all_speak(found: Prometheus, stirred: Commotion, expressions: Collection[Expression], least: float) -> None:
    """Each returns such a value at some time."""
    left = list(expressions)

    def check() -> None:
        nonlocal left
        stirred.keep_up()
        left = silent(found, left, least)
        assert not left, "\n".join(f"{each.where}: {each.text}" for each in left)

    eventually(check, WITHIN_S)


def test_every_panel_has_data(watching: Prometheus, stirred: Commotion) -> None:
    all_speak(watching, stirred, [*of_dashboards(), *of_data_sources()], -float("inf"))


def test_every_rule_rests_on_data(watching: Prometheus, stirred: Commotion) -> None:
    all_speak(watching, stirred, list(probes.of_rule_files()), -float("inf"))


def test_panels_show_what_happens(watching: Prometheus, stirred: Commotion) -> None:
    wanted = {f"{file}: {title}" for file, titles in SHOWN.items() for title in titles}
    chosen = [each for each in of_dashboards() if each.where in wanted]
    assert {each.where for each in chosen} == wanted
    all_speak(watching, stirred, chosen, 0)


def test_a_timeline_shows_that_a_breaker_is_open(watching: Prometheus, stirred: Commotion) -> None:
    timelines = [each for each in of_dashboards() if each.where.endswith(": Circuit breakers A")]
    assert len(timelines) == 2
    all_speak(watching, stirred, timelines, OPEN - 1)


def test_points_lead_to_traces(watching: Prometheus, stirred: Commotion) -> None:
    """Wherever a panel asks for exemplars there are some."""
    began = time.time() - WITHIN_S

    def check() -> None:
        stirred.keep_up()
        asked = [each for each in of_dashboards() if each.exemplars]
        found = {each.where: watching.exemplars(each.text, began, time.time()) for each in asked}
        assert found
        assert not [where for where, exemplars in found.items() if not exemplars]
        assert all(one["labels"]["trace_id"] for exemplars in found.values() for one in exemplars)

    eventually(check, WITHIN_S)


def test_prometheus_takes_every_rule(watching: Prometheus) -> None:
    def check() -> None:
        found = watching.rules()
        assert found
        assert {each["health"] for each in found} == {"ok"}, [each for each in found if each["health"] != "ok"]

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
    assert list(probes.texts(Expression("here", text).parsed)) == rests_on


def test_recorded_series_stand_for_what_records_them() -> None:
    rules = [
        Expression("r", "sum(a)", record="x:a", labels={"slo": "one"}),
        Expression("r", "sum(b)", record="x:a", labels={"slo": "two"}),
        Expression("r", 'x:a{slo="two"} / 2', record="x:b"),
    ]
    found = probes.inlined(Expression("here", "x:b > 1").parsed, rules)
    assert list(probes.texts(found)) == ["(sum(b)) / 2"]

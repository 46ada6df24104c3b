import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from rich.console import Console

from deploy.bench import __main__ as command
from deploy.bench.catalogue import BENCHMARKS
from deploy.bench.figure import Benchmark, Better, Figure, FigureRefusedError, Measured, Say
from deploy.bench.imports import Imports, import_together, imports_of
from deploy.bench.paired import Pairs, Series, measure_pairs
from deploy.bench.report import figures_table, write_json
from deploy.errors import DeployError

FIELDS = {"name", "value", "unit", "goal", "better", "detail"}
MET = Figure("startup", 1.234567, "x", 1.5, "lower", "ratio 1.23 (1.10 to 1.40); and much more to be said about it")
MISSED = Figure("throughput", 90.0, "/s", 100, "higher", "")
REFUSED = Figure("latency", None, "ms", 5, "lower", "refused: the generator was the bottleneck")


def a_benchmark(measure: Any, name: str = "a") -> Benchmark:
    return Benchmark(name, "about it", "x", 1.5, "lower", measure)


def test_pairs_alternate_and_the_first_is_not_counted() -> None:
    order: list[str] = []
    values = iter(range(1, 100))

    def side(name: str) -> float:
        order.append(name)
        return float(next(values))

    told: list[int] = []
    pairs = measure_pairs(lambda: side("ours"), lambda: side("theirs"), 3, told.append)
    assert order == ["ours", "theirs", "theirs", "ours", "ours", "theirs", "theirs", "ours"]
    assert pairs == Pairs(Series((4.0, 5.0, 8.0)), Series((3.0, 6.0, 7.0)))
    assert told == [0, 1, 2, 3]


def test_ratios_are_taken_pair_by_pair() -> None:
    pairs = Pairs(Series((2.0, 3.0, 40.0)), Series((1.0, 2.0, 10.0)))
    assert pairs.ratios.values == (2.0, 1.5, 4.0)
    assert str(pairs.ratios) == "2.00 (1.50 to 4.00)"


@pytest.mark.parametrize(
    ("value", "goal", "better", "met"),
    [(1.5, 1.5, "lower", True), (1.6, 1.5, "lower", False), (9, 10, "higher", False), (10, 10, "higher", True)],
)
def test_a_goal_is_met_from_its_own_value_on(value: float, goal: float, better: Better, *, met: bool) -> None:
    assert Figure("a", value, "x", goal, better, "").met is met


def test_a_refused_figure_meets_no_goal() -> None:
    assert not REFUSED.met


@pytest.mark.parametrize("error", [FigureRefusedError("too noisy"), DeployError("too noisy")])
def test_a_measurement_that_means_nothing_is_refused_with_its_reason(error: Exception) -> None:
    def refuse(_: Say) -> Measured:
        raise error

    assert a_benchmark(refuse).run(print) == Figure("a", None, "x", 1.5, "lower", "refused: too noisy")


@pytest.mark.parametrize("width", [80, 120])
def test_the_table_fits(width: int) -> None:
    output = StringIO()
    Console(file=output, width=width).print(figures_table([MET, MISSED, REFUSED]))
    text = output.getvalue()
    assert "1.235 x" in text
    assert "≤ 1.5" in text
    assert "≥ 100" in text
    assert [word for word in ("met", "missed", "refused") if word in text] == ["met", "missed", "refused"]
    assert max(map(len, text.splitlines())) <= width


def test_the_file_is_a_list_of_objects(tmp_path: Path) -> None:
    write_json([MET, REFUSED], tmp_path / "build" / "bench.json")
    written = json.loads((tmp_path / "build" / "bench.json").read_text())
    assert [set(each) for each in written] == [FIELDS, FIELDS]
    assert [each["value"] for each in written] == [1.234567, None]
    assert [each.name for each in (tmp_path / "build").iterdir()] == ["bench.json"]


def test_every_figure_has_a_name_of_its_own_and_a_goal() -> None:
    names = [benchmark.name for benchmark in BENCHMARKS]
    assert len(set(names)) == len(names)
    assert all(benchmark.goal > 0 and benchmark.about for benchmark in BENCHMARKS)


@pytest.fixture
def two_benchmarks(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Say) -> Measured:
        raise FigureRefusedError("no such thing")

    found = (a_benchmark(lambda _: Measured(1.0, "fine"), "startup"), a_benchmark(refuse, "memory"))
    monkeypatch.setattr(command, "BENCHMARKS", found)


@pytest.mark.usefixtures("two_benchmarks")
@pytest.mark.parametrize(
    ("only", "names", "code"),
    [([], ["startup", "memory"], 1), (["startup"], ["startup"], 0), (["memory"], ["memory"], 1)],
)
def test_only_measures_a_part_and_a_refusal_is_an_exit_code(
    tmp_path: Path, only: list[str], names: list[str], code: int
) -> None:
    chosen = [word for name in only for word in ("--only", name)]
    result = CliRunner().invoke(command.main, [*chosen, "--json", str(tmp_path / "bench.json")])
    assert result.exit_code == code
    assert [each["name"] for each in json.loads((tmp_path / "bench.json").read_text())] == names


def test_an_unknown_figure_is_refused_with_those_there_are() -> None:
    result = CliRunner().invoke(command.main, ["--only", "beauty"])
    assert result.exit_code == 2
    assert "'startup', 'memory'" in result.output


def test_the_libraries_of_a_module_are_found_without_our_own_code() -> None:
    libraries = imports_of("chaos.load").libraries
    assert {"aiohttp", "aiohttp.client", "yarl"} <= set(libraries)
    assert libraries.index("aiohttp") < libraries.index("aiohttp.client")
    assert not [name for name in libraries if name.startswith(("chaos", "observability"))]


def test_libraries_that_import_in_circles_can_be_imported_alone() -> None:
    assert import_together([imports_of("observability.embedded")]) > 0


def test_a_module_that_is_not_there_is_refused() -> None:
    with pytest.raises(FigureRefusedError, match=r"chaos\.nothing cannot be imported"):
        imports_of("chaos.nothing")


def test_processes_that_only_import_are_timed_together() -> None:
    assert 0 < import_together([Imports("a", ("json",)), Imports("b", ("asyncio", "asyncio.events"))]) < 30


def test_a_library_that_cannot_be_imported_alone_is_refused() -> None:
    with pytest.raises(FigureRefusedError, match="no_such_library"):
        import_together([Imports("a", ("no_such_library",))])

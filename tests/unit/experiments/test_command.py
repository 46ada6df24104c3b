import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from chaos.runs import catalogue
from chaos.runs import record as records
from deploy.cli.chaos import command, publish
from deploy.cli.chaos_screen import ExperimentScreen
from tests.unit.experiments.making import arm, record


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, arguments, standalone_mode=False)


def kept(state: Path, stamp: str, *arms: dict[str, Any]) -> Path:
    """A record in the state folder."""
    folder = state / "chaos" / f"tried-{stamp}"
    folder.mkdir(parents=True)
    records.write(folder, record(*arms))
    return folder


def running(state: Path) -> Path:
    """The files of a system, at whose addresses nobody is."""
    state.mkdir()
    processes: list[dict[str, Any]] = [
        {"instance": f"{each}-1", "service": each, "host": "127.0.0.1", "listeners": {}}
        for each in ("orders", "payments")
    ]
    edges = [{"caller": "orders", "callee": "payments", "kind": "grpc"}]
    address = "http://127.0.0.1:1"
    topology = {"gateway_url": address, "query_url": address, "processes": processes, "edges": edges}
    for name, document in {
        "topology.json": topology,
        "control.json": {"address": address, "token": "token"},
        "client-keys.json": [],
    }.items():
        (state / name).write_text(json.dumps(document))
    return state


def test_the_list_names_each_experiment_and_its_hypothesis() -> None:
    told = run("list").output
    assert all(each.name in told and each.title in told for each in catalogue.load_all())


def test_all_experiments_are_validated_or_one() -> None:
    assert run("validate").output.count(": valid") == len(catalogue.names())
    assert run("validate", "payments-down").output == "payments-down: valid\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("validate", "nothing"), "no experiment 'nothing'"),
        (("run", "payments-down", "--state", "STATE"), "Faultline is not running"),
        (("run",), "Missing argument 'NAME'"),
        (("run", "payments-down", "--runs", "some"), "'some' is not a valid integer"),
        (("report", "--state", "STATE"), "no records in"),
        (("compare", "--state", "STATE"), "no records in"),
    ],
)
def test_what_cannot_be_is_invalid(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    done = run(*(str(tmp_path) if each == "STATE" else each for each in arguments))
    assert done.return_value == 2
    assert said in done.output


def test_a_policy_that_there_is_not_is_refused_by_name(tmp_path: Path) -> None:
    done = run("run", "payments-down", "--policy", "most", "--state", str(running(tmp_path / "state")))
    assert done.return_value == 2
    assert "no policy 'most'; policies: off, timeouts, retries, budgeted, breaker, full" in done.output


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "service: payments,",
            "service: paymentz,",
            "kill: service: there is no 'paymentz'; there are orders, payments",
        ),
        ("  edge: orders/payments", "  edge: orders/users", "there is no edge 'orders/users'; edges: orders/payments"),
    ],
)
def test_what_the_system_does_not_have_is_refused_before_anything_is_touched(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    state = running(tmp_path / "state")
    file = tmp_path / "mine.yaml"
    file.write_text(catalogue.file_of("payments-down").read_text().replace(old, new))
    done = run("run", str(file), "--state", str(state))
    assert (done.return_value, said in done.output) == (2, True), done.output
    assert not (state / "chaos").exists()


def test_a_file_that_cannot_be_written_is_refused_before_the_run(tmp_path: Path) -> None:
    file = tmp_path / "nowhere" / "junit.xml"
    done = run("run", "payments-down", "--junit", str(file), "--state", str(tmp_path))
    assert (done.return_value, done.output) == (2, f"faultline: {file}: No such file or directory\n")


def test_a_run_that_is_refused_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    there, missing = tmp_path / "there.xml", tmp_path / "missing.xml"
    there.write_text("of the run before")
    for each in (there, missing):
        assert "not running" in run("run", "payments-down", "--junit", str(each), "--state", str(tmp_path)).output
    assert there.read_text() == "of the run before"
    assert not missing.exists()


@pytest.mark.parametrize(("outcome", "code"), [("passed", 0), ("deviated", 1)])
def test_what_cannot_be_written_after_the_run_hides_no_verdict(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], outcome: str, code: int
) -> None:
    found, gone = record(arm("full", outcome=outcome)), tmp_path / "gone"
    assert publish(found, gone, gone / "junit.xml", screen=None) == code
    told = capsys.readouterr()
    assert json.loads(told.out) == found
    assert [each.partition(": ")[2] for each in told.err.splitlines()] == [
        f"{gone / name}: No such file or directory" for name in ("report.html", "junit.xml")
    ]


def test_the_verdict_is_shown_without_a_report_and_the_junit_file_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "junit.xml"
    screen = ExperimentScreen(Console(), catalogue.load("payments-down"), quiet=False)
    assert publish(record(arm("full")), tmp_path / "gone", file, screen) == 0
    told = capsys.readouterr().out
    assert "PASSED" in told
    assert "Report" not in told
    assert file.read_text().startswith("<?xml")


def test_the_latest_two_records_are_compared(tmp_path: Path) -> None:
    kept(tmp_path, "20260101T000000", arm("full", goodput=2.0))
    kept(tmp_path, "20260102T000000", arm("full", goodput=10.0))
    kept(tmp_path, "20260103T000000", arm("full", goodput=5.0))
    done = run("compare", "--state", str(tmp_path))
    assert done.return_value == 1
    assert "10 req/s" in done.output
    assert "2 req/s" not in done.output
    assert "worse" in done.output


@pytest.mark.parametrize("named", ["chaos/tried-20260102T000000", "chaos/tried-20260102T000000/record.json"])
def test_a_record_is_compared_with_another_however_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    kept(tmp_path, "20260101T000000", arm("full", goodput=2.0))
    kept(tmp_path, "20260102T000000", arm("full", goodput=10.0))
    monkeypatch.chdir(tmp_path)
    for each in (named, str(tmp_path / named)):
        told = run("compare", each, "--state", str(tmp_path)).output
        assert "10 req/s" in told
        assert "2 req/s" in told


def test_a_record_outside_is_compared_with_the_latest_of_its_experiment(tmp_path: Path) -> None:
    kept(tmp_path, "20260101T000000", arm("full", goodput=2.0))
    elsewhere = kept(tmp_path / "elsewhere", "20260102T000000", arm("full", goodput=10.0))
    renamed = elsewhere.rename(tmp_path / "from the build server")
    told = run("compare", str(renamed), "--state", str(tmp_path)).output
    assert "10 req/s" in told
    assert "2 req/s" in told


def test_records_that_are_alike_are_no_reason_to_fail(tmp_path: Path) -> None:
    before, after = (kept(tmp_path, f"2026010{day}T000000", arm("full", goodput=10.0)) for day in (1, 2))
    assert run("compare", str(before), str(after)).return_value == 0


def test_the_report_of_the_latest_run_is_written(tmp_path: Path) -> None:
    kept(tmp_path, "20260101T000000", arm("full"))
    latest = kept(tmp_path, "20260103T000000", arm("full"))
    assert run("report", "--state", str(tmp_path)).output.strip() == str(latest / "report.html")
    assert (latest / "report.html").exists()

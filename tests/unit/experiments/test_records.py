import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from chaos.report import page
from chaos.runs import junit
from chaos.runs import record as records
from chaos.runs.compare import compare
from chaos.runs.errors import InvalidError, RecordError
from chaos.runs.statistics import Estimate, estimate
from chaos.runs.summary import evaluators_told, policies, rows, shown, verdict_lines
from chaos.runs.verdict import Judged, Outcome, Verdict, overall
from tests.unit.experiments.making import alerted, arm, record


def test_repeated_runs_have_an_interval() -> None:
    found = estimate([10, 12, 14])
    assert found is not None
    assert found.mean == 12
    assert found.half_width == pytest.approx(4.303 * 2 / 3**0.5)


def test_a_single_run_has_none_and_no_run_nothing() -> None:
    assert estimate([3]) == Estimate(3, None, 1)
    assert estimate([]) is None


def test_the_better_policy_is_marked_if_it_is_beyond_noise() -> None:
    found = {
        row.figure.key: row.best
        for row in rows(record(arm("off", goodput=5, amplification=1.0), arm("full", goodput=9, amplification=1.05)))
    }
    assert found == {"goodput": 1, "amplification": None}


def test_a_figure_that_one_policy_lacks_has_no_winner() -> None:
    [row] = rows(record(arm("off"), arm("full", time_to_open_s=1.5)))
    assert (row.told(), row.best) == (["-", "1.5 s"], None)


def test_means_are_told_with_their_spread() -> None:
    [row] = rows(record(arm("off", 1, goodput=10), arm("off", 2, goodput=12)))
    assert row.told() == ["11 ± 13 req/s"]
    assert shown(row.figure, Estimate(1240.4, None, 1)) == "1240 req/s"


def test_arms_keep_their_order() -> None:
    assert policies(record(arm("off"), arm("full"), arm("off", 2))) == ["off", "full"]


def test_a_later_run_that_is_worse_is_told() -> None:
    found = compare(record(arm("full", goodput=10)), record(arm("full", goodput=5), commit="def"))
    assert [(each.figure.key, each.change) for each in found.figures] == [("goodput", "worse")]
    assert found.worse
    assert "commit: abc, then def" in found.differences


def test_less_latency_is_better_and_little_is_nothing() -> None:
    found = compare(
        record(arm("full", checkout_p99_s=1.0, goodput=10)), record(arm("full", checkout_p99_s=0.2, goodput=10.5))
    )
    assert [each.change for each in found.figures] == ["same", "better"]
    assert not found.worse


def test_a_lost_verdict_is_worse_whatever_the_figures_say() -> None:
    assert compare(record(arm("full")), record(arm("full", outcome="deviated"))).worse


def test_another_evaluator_is_a_difference() -> None:
    by = [record(alerted(arm("full"), each)) for each in ("embedded", "prometheus")]
    assert "alerts evaluated by: embedded, then prometheus" in compare(*by).differences
    assert "alerts evaluated by: nobody, then prometheus" in compare(record(arm("full")), by[1]).differences
    assert compare(by[0], by[0]).differences == ()
    assert evaluators_told(by[1]) == "Prometheus evaluates, Alertmanager tells"
    assert evaluators_told(record(arm("full"))) == ""


def test_records_of_different_experiments_are_not_compared() -> None:
    other = record(arm("full"))
    other["experiment"]["name"] = "other"
    with pytest.raises(InvalidError, match="different experiments: tried and other"):
        compare(record(arm("full")), other)


def test_junit_has_a_case_for_each_claim_and_the_verdict() -> None:
    root = ET.fromstring(
        junit.render(record(arm("off", outcome="deviated", expected="deviates"), arm("full", outcome="deviated")))
    )
    told = {suite.get("name"): (suite.get("tests"), suite.get("failures"), suite.get("skipped")) for suite in root}
    assert told == {"tried.off.1": ("1", "0", "1"), "tried.full.1": ("1", "1", "0"), "tried.verdict": ("1", "1", "0")}
    failure = root.find("testsuite[@name='tried.full.1']/testcase/failure")
    assert failure is not None
    assert failure.get("message") == "p99 2 s & more"


def test_terminal_junit_and_report_give_the_same_reasons() -> None:
    broken = Verdict(Outcome.DEVIATED, ("p99 2 s",))
    verdict = overall([Judged(policy, broken, run=run) for run in (1, 2) for policy in ("off", "full")])
    told = record(arm("off"), arm("full"), runs=2)
    told["verdict"] = {"outcome": "deviated", "exit_code": verdict.exit_code, "reasons": list(verdict.reasons)}
    failure = ET.fromstring(junit.render(told)).find(".//testcase[@name='verdict']/failure")
    assert failure is not None
    assert failure.text == "\n".join(verdict.reasons)
    assert [each.plain.strip() for each in verdict_lines(told)][1:] == list(verdict.reasons)
    assert re.findall("<li>([^<]+: p99 2 s)</li>", page.render(told)) == list(verdict.reasons)
    assert verdict.reasons[-1] == "full, run 2: p99 2 s"


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    written = record(arm("full", goodput=10))
    records.write(tmp_path, written)
    assert records.read(tmp_path) == written


def test_what_is_no_record_is_refused(tmp_path: Path) -> None:
    (tmp_path / "record.json").write_text('{"version": 99}')
    with pytest.raises(RecordError, match="not a record"):
        records.read(tmp_path)
    with pytest.raises(RecordError, match="No such file"):
        records.read(tmp_path / "nothing")


def test_the_latest_run_comes_first_whatever_its_name(tmp_path: Path) -> None:
    for name in ("b-down-20260101T000000", "a-slow-20260301T000000", "b-down-20260201T000000"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "record.json").write_text("{}")
    assert next(each.name for each in records.latest(tmp_path)) == "a-slow-20260301T000000"
    assert [each.name for each in records.latest(tmp_path, "b-down")] == [
        "b-down-20260201T000000",
        "b-down-20260101T000000",
    ]

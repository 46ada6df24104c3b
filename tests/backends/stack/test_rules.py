"""Prometheus's own tool takes the rules, and every alert fires, stays quiet on the near miss, and clears."""

import re
from pathlib import Path

import pytest
import yaml

from observability.stack.generators import FOLDER
from observability.stack.objectives import load_all
from tests.backends.stack.tools import LIMIT_S, check

PROMETHEUS = FOLDER / "prometheus"
RULES = sorted(PROMETHEUS.glob("rules.*.yml"))
TESTS = sorted((PROMETHEUS / "tests").glob("*.yml"))


def name_of(file: Path) -> str:
    return file.stem


def alerts(file: Path) -> set[str]:
    groups = yaml.safe_load(file.read_text())["groups"]
    return {rule["alert"] for group in groups for rule in group["rules"] if "alert" in rule}


@pytest.mark.parametrize("file", RULES, ids=name_of)
def test_prometheus_takes_the_rules(file: Path) -> None:
    assert "SUCCESS" in check("promtool", "check", "rules", file)


def test_every_profile_has_its_rules() -> None:
    assert {each.name for each in RULES} == {f"rules.{name}.yml" for name in load_all().profiles}


def test_every_alert_has_its_tests() -> None:
    """And says in them that it fires and that it does not, but for the one that always does."""
    assert {each.stem.split(".")[0] for each in TESTS} == alerts(RULES[0]) == alerts(RULES[1])
    for file in TESTS:
        expected = [each for test in yaml.safe_load(file.read_text())["tests"] for each in test["promql_expr_test"]]
        assert any(each["exp_samples"] for each in expected), f"{file.stem} is never expected to fire"
        assert file.stem == "Watchdog" or any(not each["exp_samples"] for each in expected), file.stem


@pytest.mark.timeout(LIMIT_S)
@pytest.mark.parametrize("file", TESTS, ids=name_of)
def test_alerts_fire_stay_quiet_and_clear(file: Path) -> None:
    assert re.search("SUCCESS", check("promtool", "test", "rules", file))


def test_a_wrong_expectation_fails(tmp_path: Path) -> None:
    """The tool is asked what it is thought to be asked."""
    (tmp_path / "rules.production.yml").write_text((PROMETHEUS / "rules.production.yml").read_text())
    wrong = tmp_path / "tests" / "Watchdog.yml"
    wrong.parent.mkdir()
    wrong.write_text((PROMETHEUS / "tests" / "Watchdog.yml").read_text().replace('alertstate="firing"', ""))
    with pytest.raises(AssertionError, match="FAILED"):
        check("promtool", "test", "rules", wrong)

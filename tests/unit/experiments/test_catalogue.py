from pathlib import Path

import pytest

from chaos.runs import catalogue
from chaos.runs.declared import DEVIATES
from chaos.runs.errors import InvalidError
from chaos.toolkit.policies import PRESETS
from services.chassis.resilience import policy


@pytest.mark.parametrize("name", catalogue.names())
def test_each_experiment_is_valid_and_says_what_one_learns(name: str) -> None:
    found = catalogue.load(name)
    assert found.file.read_text().startswith("# What one learns: ")
    assert len(found.title) > 40
    assert set(found.declared.arms) <= set(PRESETS)
    assert found.document["runtime"] == {"rollbacks": {"strategy": "always"}}
    assert found.document["configuration"]["experiment"] == name
    assert set(found.declared.quick) <= set(found.document["configuration"])


@pytest.mark.parametrize("name", catalogue.names())
def test_each_claim_is_named_as_its_probe_is(name: str) -> None:
    for step in catalogue.load(name).document["method"]:
        if step["type"] == "probe":
            arguments = step["provider"].get("arguments", {})
            assert arguments.get("name", step["name"]) == step["name"]


BURNS_MORE = 2
MEANT_TO_DEVIATE = {
    "failing-payments": {"off", "timeouts", "breaker"},
    "payments-down": {"off", "timeouts", "retries", "budgeted"},
    "slow-payments": {"off", "timeouts", "retries", "budgeted"},
}


@pytest.mark.parametrize("name", MEANT_TO_DEVIATE)
def test_policies_that_cannot_keep_the_claims_are_meant_to_deviate_and_others_are_not(name: str) -> None:
    found = catalogue.load(name).declared
    assert {each for each in PRESETS if found.arm(each).expected == DEVIATES} == MEANT_TO_DEVIATE[name]
    for each in MEANT_TO_DEVIATE[name]:
        [stop], [own] = found.arm(each).stop, found.stop
        assert (stop.objective, stop.burn_rate >= BURNS_MORE * own.burn_rate) == (own.objective, True)


@pytest.mark.parametrize("name", catalogue.names())
def test_who_has_no_breaker_is_not_expected_to_open_one(name: str) -> None:
    found = catalogue.load(name)
    claimed = {step["provider"]["func"] for step in found.document["method"]}
    without = [each for each, policies in policy.PRESETS.items() if "breaker" not in policies]
    expected = {found.declared.arm(each).expected for each in without}
    assert "breaker_opens" not in claimed or expected == {DEVIATES}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("edge: orders/payments", "edge: orders"), "extensions.faultline.edge: .*'orders' is not CALLER/CALLEE"),
        (
            ("browse.availability", "browsing.availability"),
            "no such objective: browsing.availability; objectives: checkout",
        ),
        (("func: lift", "func: lft"), "does not expose a function called 'lft'"),
        (("arguments: {service: payments", "arguments: {servce: payments"), "'servce'|service"),
        (("name: faultline\n", "name: other\n"), "no extension named faultline"),
        (("steady-state-hypothesis:", "steady-state-hypothesis: ["), "not to be read as YAML"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, change: tuple[str, str], complaint: str) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(catalogue.file_of("payments-down").read_text().replace(*change))
    with pytest.raises(InvalidError, match=complaint):
        catalogue.load(str(file))


def test_an_unknown_experiment_is_answered_with_those_there_are() -> None:
    with pytest.raises(InvalidError, match=r"no experiment 'nothing'; experiments: .*payments-down"):
        catalogue.load("nothing")

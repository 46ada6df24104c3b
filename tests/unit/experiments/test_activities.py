from dataclasses import replace
from pathlib import Path

import pytest

from chaos.runs import activities, catalogue
from chaos.runs.catalogue import Experiment
from chaos.runs.errors import InvalidError
from chaos.toolkit.policies import PRESETS
from tests.unit.experiments.making import SITE

INJECTING, KILLING, ALERTING = "slow-payments", "payments-down", "alert-on-failing-payments"
EVERYBODY_TOLD = replace(
    SITE,
    target=replace(
        SITE.target,
        instances=[replace(each, listeners={"CONTROL_PORT": 1}) for each in SITE.target.instances],
        databases={"payments-db": "payments"},
    ),
)


def loaded(folder: Path, name: str, old: str, new: str) -> Experiment:
    """The experiment, with a change."""
    text = catalogue.file_of(name).read_text()
    assert old in text
    file = folder / "mine.yaml"
    file.write_text(text.replace(old, new))
    return catalogue.load(str(file))


@pytest.mark.parametrize(
    ("name", "old", "new", "complaint"),
    [
        (
            INJECTING,
            "kind: latency",
            "kind: latenzy",
            "slow payments down: inject: kind: .*'latenzy'; there are latency, bl",
        ),
        (INJECTING, "kind: latency", "kind: kill", "there is no 'kill'"),
        (INJECTING, "ttl_s: 60", "ttl_s: 1.0e+9", r"inject: ttl_s: 1000000000.0 is not within 0.001..600 seconds"),
        (INJECTING, "ttl_s: 60", "ttl_s: 0", r"ttl_s: 0 is not within"),
        (INJECTING, "ttl_s: 60", "ttl_s: soon", r"ttl_s: 'soon' is not a number"),
        (INJECTING, "ttl_s: 60", "ttl_s: 9${seed}1", r"ttl_s: 911 is not within"),
        (
            INJECTING,
            "kind: latency",
            "probability: 50\n        kind: latency",
            "probability: 50 is not a share, above 0",
        ),
        (INJECTING, "kind: latency", "probability: 0\n        kind: latency", "probability: 0 is not a share"),
        (INJECTING, "parameters: {", "parameters: 500 # {", "inject: parameters: 500 is no mapping"),
        (INJECTING, "during: fault", "during: nofault", "during: .*'nofault'; there are before, fault, after, whole"),
        (INJECTING, "journey: browse\n", "journey: browsing\n", "'browsing'; there are browse, checkout, all"),
        (
            INJECTING,
            "{journey: all, over_s",
            "{journey: some, over_s",
            "customers are served: availability_now: journey",
        ),
        (
            INJECTING,
            "journey: checkout\n        within_s",
            "journey: all\n        within_s",
            "recovers: journey: .*'all'",
        ),
        (INJECTING, "outcome: bad", "outcome: worse", "outcome: .*'worse'; there are good, bad, all"),
        (INJECTING, "at_least: 0.99", "at_least: 99", "at_least: 99 is not a share"),
        (INJECTING, 'preset: "${policy}"', "preset: fool", "use_policies: preset: .*'fool'; there are off, timeouts"),
        (INJECTING, "default: full", "default: fool", "use_policies: preset: there is no 'fool'"),
        (INJECTING, '"off":', '"of":', "extensions.faultline.arms: there is no policy 'of'; policies: off"),
        (
            ALERTING,
            "alert: CheckoutAvail",
            "alert: CheckoutAvial",
            "alert: there is no 'CheckoutAvial.*; there are Checkout",
        ),
        (ALERTING, "severity: page", "severity: pager", "severity: there is no 'pager'; there are page, ticket"),
        (KILLING, "ttl_s: 60", "ttl_s: 601", r"kill payments: kill: ttl_s: 601 is not within 0..600 seconds"),
    ],
)
def test_what_no_system_has_is_refused_as_the_file_is_read(
    tmp_path: Path, name: str, old: str, new: str, complaint: str
) -> None:
    with pytest.raises(InvalidError, match=complaint):
        loaded(tmp_path, name, old, new)


@pytest.mark.parametrize(
    ("name", "old", "new", "complaint"),
    [
        (
            INJECTING,
            "service: payments\n",
            "service: paymentz\n",
            "slow payments down: inject: service: .*'paymentz'; .*-db",
        ),
        (
            KILLING,
            "{service: payments,",
            "{service: paymentz,",
            "kill: service: .*'paymentz'; there are gateway, orders,",
        ),
        (KILLING, "{service: payments,", "{service: payments-1,", "kill: service: there is no 'payments-1'"),
        (
            INJECTING,
            "edge: orders/payments\n        at_most",
            "edge: payments/orders\n        at_most",
            "no storm of attempts: amplified: edge: .*'payments/orders'; edges: gateway/orders, orders/payments",
        ),
    ],
)
def test_what_this_system_has_not_is_refused(tmp_path: Path, name: str, old: str, new: str, complaint: str) -> None:
    changed = loaded(tmp_path, name, old, new)
    with pytest.raises(InvalidError, match=complaint):
        activities.check_site(activities.activities(changed.document), EVERYBODY_TOLD)


@pytest.mark.parametrize("policy", PRESETS)
@pytest.mark.parametrize("name", catalogue.names())
def test_what_comes_with_the_system_names_what_there_is(name: str, policy: str) -> None:
    found = activities.activities(catalogue.load(name).document, {"policy": policy, "seed": 1})
    activities.check(found)
    activities.check_site(found, EVERYBODY_TOLD)
    assert [each.arguments for each in found if each.function == "use_policies"] == [{"preset": policy}]


@pytest.mark.parametrize("service", ["payments", "payments-1", "payments-db"])
def test_a_service_a_replica_and_a_database_can_have_a_fault(tmp_path: Path, service: str) -> None:
    changed = loaded(tmp_path, INJECTING, "service: payments\n", f"service: {service}\n")
    activities.check_site(activities.activities(changed.document), EVERYBODY_TOLD)


def test_what_an_arm_is_given_goes_before_what_the_experiment_has() -> None:
    document = catalogue.load(INJECTING).document
    with pytest.raises(InvalidError, match="there is no 'fool'"):
        activities.check(activities.activities(document, {"policy": "fool"}))


def test_a_configuration_that_cannot_be_read_is_invalid(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAULTLINE_RPS", "many")
    with pytest.raises(InvalidError, match=r"slow-payments.yaml: .*'many'"):
        catalogue.load(INJECTING)

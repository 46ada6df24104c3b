from dataclasses import replace
from typing import Any

import pytest

from chaos.runs.arm import why_not_offered
from chaos.runs.verdict import EXIT_CODES, Claim, Facts, Judged, Outcome, Verdict, judge, overall

FINE = Facts(effects=[(12, "12 calls touched")], claims=[Claim("browsing stays whole", True, "load")])
BROKEN = Claim("p99 2 s, at most 1 s", False, "load")


@pytest.mark.parametrize(
    ("facts", "outcome", "code", "reason"),
    [
        (FINE, Outcome.PASSED, 0, ""),
        (replace(FINE, claims=[BROKEN]), Outcome.DEVIATED, 1, "p99 2 s"),
        (replace(FINE, steady_after=False), Outcome.DEVIATED, 1, "did not return"),
        (
            replace(FINE, begun=False, effects=[], broken_before="ready: 2"),
            Outcome.INCONCLUSIVE,
            5,
            "(ready: 2), so nothing",
        ),
        (replace(FINE, failure="the load broke"), Outcome.INCONCLUSIVE, 5, "the load broke"),
        (replace(FINE, failed_activities=["kill: refused"]), Outcome.DEVIATED, 1, "kill: refused"),
        (replace(FINE, violations=["one charge: o-1"]), Outcome.DEVIATED, 1, "one charge: o-1"),
        (replace(FINE, troubles=["fault: away"]), Outcome.DEVIATED, 1, "fault: away"),
        (replace(FINE, stop="browse.availability"), Outcome.STOPPED, 3, "browse.availability"),
        (replace(FINE, effects=[(0, "0 calls touched")]), Outcome.NO_EFFECT, 4, "0 calls touched"),
        (replace(FINE, effects=[]), Outcome.NO_EFFECT, 4, "no fault was begun"),
        (replace(FINE, coverage=0.949), Outcome.INCONCLUSIVE, 5, "94.9%"),
        (replace(FINE, coverage=None), Outcome.INCONCLUSIVE, 5, "unknown"),
        (replace(FINE, generator_said="The generator was late."), Outcome.INCONCLUSIVE, 5, "late"),
        (replace(FINE, violations=None), Outcome.INCONCLUSIVE, 5, "invariants"),
        (replace(FINE, good_before=0.8), Outcome.INCONCLUSIVE, 5, "before the fault"),
        (replace(FINE, signal="SIGINT"), Outcome.INTERRUPTED, 130, "SIGINT"),
    ],
)
def test_each_outcome_has_its_code_and_its_reason(facts: Facts, outcome: Outcome, code: int, reason: str) -> None:
    verdict = judge(facts)
    assert (verdict.outcome, verdict.exit_code) == (outcome, code)
    assert any(reason in each for each in verdict.reasons) or not reason


def test_every_outcome_has_a_code_of_its_own() -> None:
    assert set(EXIT_CODES) == set(Outcome)
    assert len(set(EXIT_CODES.values())) == len(Outcome)


def test_the_worst_decides_and_its_reason_comes_first() -> None:
    verdict = judge(replace(FINE, claims=[BROKEN], stop="browse.availability", coverage=0.5))
    assert verdict.outcome is Outcome.STOPPED
    assert "browse.availability" in verdict.reasons[0]
    assert len(verdict.reasons) == 3


def test_a_fault_that_touched_nothing_is_worse_than_a_claim_that_broke_for_another_reason() -> None:
    assert judge(replace(FINE, claims=[BROKEN], effects=[(0, "nothing")])).outcome is Outcome.NO_EFFECT


def test_a_broken_invariant_is_not_hidden_by_a_stop() -> None:
    assert judge(replace(FINE, violations=["one charge: o-1"], stop="reached")).outcome is Outcome.DEVIATED


@pytest.mark.parametrize(
    ("rests_on", "without_its_evidence"),
    [("traces", replace(FINE, coverage=0.5)), ("load", replace(FINE, generator_said="late"))],
)
def test_a_claim_counts_for_nothing_without_what_it_rests_on(rests_on: str, without_its_evidence: Facts) -> None:
    claims = [Claim("broken", False, rests_on)]
    assert judge(replace(FINE, claims=claims)).outcome is Outcome.DEVIATED
    assert judge(replace(without_its_evidence, claims=claims)).outcome is Outcome.INCONCLUSIVE
    others = [Claim("broken", False, "metrics")]
    assert judge(replace(without_its_evidence, claims=others)).outcome is Outcome.DEVIATED


def test_a_steady_state_that_did_not_return_says_nothing_where_the_load_was_another_one() -> None:
    found = judge(replace(FINE, steady_after=False, generator_said="late"))
    assert found.outcome is Outcome.INCONCLUSIVE
    assert found.reasons == ("the steady state did not return after the fault (not to be relied on)", "late")


DEVIATED = judge(replace(FINE, claims=[BROKEN]))
PASSED = Verdict(Outcome.PASSED)


def test_an_arm_that_is_meant_to_deviate_may_do_so_beside_another() -> None:
    assert overall([Judged("off", DEVIATED, True), Judged("full", PASSED)]) == PASSED


def test_an_arm_that_is_meant_to_deviate_is_judged_when_it_is_alone() -> None:
    assert overall([Judged("off", DEVIATED, True)]) == Verdict(Outcome.DEVIATED, (BROKEN.said,))


def test_reasons_name_the_arm_where_there_are_several() -> None:
    found = overall([Judged("off", DEVIATED, True), Judged("full", DEVIATED)])
    assert found == Verdict(Outcome.DEVIATED, (f"full: {BROKEN.said}",))


def test_reasons_name_the_run_where_there_are_several() -> None:
    late = Verdict(Outcome.INCONCLUSIVE, ("late",))
    two_arms = [Judged("off", DEVIATED, True, 1), Judged("full", PASSED, run=1), Judged("off", late, True, 2)]
    assert overall([*two_arms, Judged("full", DEVIATED, run=2)]).reasons == (
        "off, run 2: late",
        f"full, run 2: {BROKEN.said}",
    )
    assert overall([Judged("full", late, run=1), Judged("full", late, run=2)]).reasons == ("run 1: late", "run 2: late")


@pytest.mark.parametrize("outcome", [Outcome.NO_EFFECT, Outcome.INCONCLUSIVE, Outcome.INTERRUPTED])
def test_an_arm_without_evidence_is_never_excused(outcome: Outcome) -> None:
    found = overall([Judged("off", Verdict(outcome, ("why",)), True), Judged("full", PASSED)])
    assert found.outcome is outcome


@pytest.mark.parametrize(
    "seen",
    [
        replace(FINE, claims=[BROKEN]),
        replace(FINE, steady_after=False),
        replace(FINE, stop="checkout.availability", steady_after=None),
        replace(FINE, claims=[BROKEN], stop="checkout.availability"),
    ],
)
def test_broken_claims_and_stops_are_excused(seen: Facts) -> None:
    assert overall([Judged("off", judge(seen), True), Judged("full", PASSED)]) == PASSED


@pytest.mark.parametrize(
    ("more", "outcome", "reason"),
    [
        ({"troubles": ["fault: payments-2 does not answer"]}, Outcome.DEVIATED, "payments-2 does not answer"),
        ({"failed_activities": ["kill: refused"]}, Outcome.DEVIATED, "kill: refused"),
        ({"violations": ["one charge: o-1"]}, Outcome.DEVIATED, "one charge: o-1"),
        ({"effects": [(0, "0 calls touched")]}, Outcome.NO_EFFECT, "0 calls touched"),
        ({"effects": []}, Outcome.NO_EFFECT, "no fault was begun"),
        ({"coverage": 0.5}, Outcome.INCONCLUSIVE, "50.0%"),
        ({"violations": None}, Outcome.INCONCLUSIVE, "could not be checked"),
        ({"failure": "the load broke"}, Outcome.INCONCLUSIVE, "the load broke"),
    ],
)
@pytest.mark.parametrize("meant", [{"claims": [BROKEN]}, {"stop": "checkout.availability"}])
def test_nothing_else_is_excused_beside_them(
    meant: dict[str, Any], more: dict[str, Any], outcome: Outcome, reason: str
) -> None:
    found = overall([Judged("off", judge(replace(FINE, **meant, **more)), True), Judged("full", PASSED)])
    assert found.outcome is outcome
    assert all(reason in each for each in found.reasons)


def test_a_stop_before_the_fault_is_no_deviation_that_was_meant() -> None:
    stopped = judge(replace(FINE, begun=False, steady_after=None, effects=[], claims=[], stop="checkout.availability"))
    assert stopped.outcome is Outcome.STOPPED
    found = overall([Judged("off", stopped, True), Judged("full", PASSED)])
    assert (found.outcome, found.reasons) == (Outcome.NO_EFFECT, ("off: no fault was begun",))


def test_an_interruption_says_that_the_fault_is_gone_only_if_it_is() -> None:
    gone = judge(replace(FINE, signal="SIGINT"))
    assert gone.reasons == ("interrupted by SIGINT; the fault was taken away",)
    without = judge(replace(FINE, signal="SIGINT", effects=[]))
    assert without.reasons == ("interrupted by SIGINT",)
    left = judge(replace(FINE, signal="SIGINT", troubles=["fault: away"], violations=["one charge: o-1"]))
    assert left.outcome is Outcome.INTERRUPTED
    assert left.reasons == ("interrupted by SIGINT", "invariant broken: one charge: o-1", "not ended: fault: away")


def test_a_broken_invariant_is_never_excused() -> None:
    broken = judge(replace(FINE, violations=["one charge: o-1"]))
    assert overall([Judged("off", broken, True), Judged("full", PASSED)]).outcome is Outcome.DEVIATED


def test_without_any_arm_there_is_nothing_to_pass() -> None:
    assert overall([]).outcome is Outcome.INVALID


@pytest.mark.parametrize(
    ("p50_s", "p99_s", "not_sent", "doubted"),
    [(0.001, 0.3, 0, False), (0.06, 0.07, 0, True), (0.001, 0.6, 0, True), (0.001, 0.002, 3, True)],
)
def test_a_few_late_requests_count_against_the_system_and_not_against_the_run(
    p50_s: float, p99_s: float, not_sent: int, doubted: bool
) -> None:
    generator = {"lag_p50_s": p50_s, "lag_p99_s": p99_s, "not_sent": not_sent, "said": "The generator was late."}
    assert bool(why_not_offered(generator)) is doubted

from dataclasses import replace

import pytest

from chaos.load.outcomes import OutcomeClass
from chaos.measure.edges import Edge
from chaos.measure.figures import back_s, figures, time_to_recover
from chaos.measure.phases import PhaseError, Phases
from chaos.measure.requests import Request, availability, is_good, quantile
from chaos.measure.stops import StopCondition, burn_rate, reached
from chaos.measure.timeline import timeline
from observability.stack import objectives
from tests.unit.experiments.making import SITE, request, sample

OBJECTIVES = objectives.load()
EDGE = Edge("orders", "payments")
PHASES = Phases(measured_s=2, fault_s=5, lifted_s=10, ended_s=20)


@pytest.mark.parametrize(
    ("outcome_class", "status", "good"),
    [
        (OutcomeClass.SUCCESS, 200, True),
        (OutcomeClass.SUCCESS, 201, True),
        (OutcomeClass.SUCCESS, 202, False),
        (OutcomeClass.REFUSED, 402, True),
        (OutcomeClass.REFUSED, 409, True),
        (OutcomeClass.REFUSED, 408, False),
        (OutcomeClass.REFUSED, 429, False),
        (OutcomeClass.FAILED, 503, False),
        (OutcomeClass.UNANSWERED, 0, False),
    ],
)
def test_what_counts_as_good(outcome_class: OutcomeClass, status: int, good: bool) -> None:
    assert is_good(outcome_class, status) is good


def test_a_quantile_is_a_latency_that_occurred() -> None:
    requests = [request(0, latency_s=each / 100) for each in range(1, 101)]
    assert quantile(requests, 0.99) == 0.99
    assert quantile(requests, 0.5) == 0.5
    assert quantile(requests[:1], 0.99) == 0.01
    assert quantile([], 0.5) is None
    assert availability([]) is None


def test_phases_follow_each_other() -> None:
    assert [PHASES.span(each) for each in ("before", "fault", "after", "whole")] == [(2, 5), (5, 10), (10, 20), (2, 20)]


def test_a_phase_that_was_not_reached_says_so() -> None:
    with pytest.raises(PhaseError, match="'after' was not reached"):
        replace(PHASES, lifted_s=None).span("after")
    with pytest.raises(PhaseError, match="no phase 'during'; phases: before, fault, after, whole"):
        PHASES.span("during")


def test_recovered_is_who_stays_well() -> None:
    bad_until = {10.2: False, 11.0: False}
    requests = [request(at_s, good=bad_until.get(at_s, True)) for at_s in (9.0, 10.2, 10.5, 11.0, *range(12, 19))]
    assert time_to_recover(requests, 10, OBJECTIVES) == pytest.approx(1.0)


def test_nothing_to_recover_from_takes_no_time() -> None:
    assert time_to_recover([request(at_s) for at_s in range(20)], 10, OBJECTIVES) == 0


def test_who_never_stays_well_has_not_recovered() -> None:
    assert time_to_recover([request(at_s, good=at_s % 2 == 0) for at_s in range(20)], 10, OBJECTIVES) is None


def test_a_run_that_ends_too_soon_does_not_show_recovery() -> None:
    assert time_to_recover([request(10.5), request(11.5)], 10, OBJECTIVES) is None


def test_a_peer_is_back_when_it_is_seen_ready_after_the_fault() -> None:
    seen = [sample(at_s, {}, pid) for at_s, pid in ((9, None), (10.2, None), (11, 7))]
    assert back_s(seen, PHASES, SITE, "orders") == 11
    assert back_s(seen[:2], PHASES, SITE, "orders") is None
    assert back_s(seen[2:], PHASES, SITE, "orders") == PHASES.lifted_s, "it never was away"
    assert back_s(seen, PHASES, SITE, "orders-db") == PHASES.lifted_s, "no process of ours"


def test_the_figures_are_those_of_the_fault() -> None:
    requests = [request(at_s / 4, good=not 5 <= at_s / 4 < 10) for at_s in range(80)]
    requests += [request(at_s / 4, journey="browse", latency_s=0.2) for at_s in range(80)]
    found = figures(requests, [], PHASES, SITE, EDGE, OBJECTIVES)
    assert (found.checkout_availability, found.browse_availability) == (0.0, 1.0)
    assert found.goodput == pytest.approx(4, rel=0.1)
    assert found.browse_p99_s == 0.2
    assert found.time_to_open_s is None


def test_without_a_fault_there_are_no_figures_of_it() -> None:
    found = figures([request(3)], [], Phases(measured_s=2, ended_s=9), SITE, EDGE, OBJECTIVES)
    assert found.goodput is None
    assert found.time_to_recover_s is None


def test_a_row_for_each_second() -> None:
    requests = [request(0.2), request(0.8, latency_s=0.5), request(2.1, good=False, latency_s=5)]
    rows = timeline(requests, [], SITE, EDGE)
    assert [(each.at_s, each.offered, each.good, each.in_flight) for each in rows] == [
        (0, 2, 2, 1),
        (1, 0, 0, 0),
        (2, 1, 0, 1),
    ]
    assert rows[1].p50_s is None


STOP = StopCondition(objective="browse.availability", burn_rate=20, over_s=5)


def bad(share: float, at_s: float = 10, count: int = 100) -> list[Request]:
    return [request(at_s, good=index >= share * count, journey="browse") for index in range(count)]


def test_the_burn_rate_is_the_budget_s_share() -> None:
    assert burn_rate(STOP, bad(0.1), OBJECTIVES) == pytest.approx(0.1 / 0.005)
    slow = StopCondition(objective="browse.latency", burn_rate=20, over_s=5)
    assert burn_rate(slow, [request(1, latency_s=0.3, journey="browse"), request(1)], OBJECTIVES) == pytest.approx(50)


def test_a_condition_is_reached_at_its_rate() -> None:
    assert reached([STOP], bad(0.09), 11, OBJECTIVES) is None
    stop = reached([STOP], bad(0.11), 11, OBJECTIVES)
    assert stop is not None
    assert str(stop).startswith("browse.availability burning 20 times its budget over 5 s: reached after 11.0 s")


def test_what_is_over_or_too_little_reaches_nothing() -> None:
    assert reached([STOP], bad(1.0), 20, OBJECTIVES) is None
    assert reached([STOP], bad(1.0, count=9), 11, OBJECTIVES) is None

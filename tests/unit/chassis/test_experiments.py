"""Who says that an experiment runs is believed for as long as it says, and no longer."""

from collections.abc import Mapping

import pytest
from prometheus_client import CollectorRegistry

from observability import semconv
from observability.metrics import Instruments
from services.chassis.experiments import MAX_SERIES, OTHER, Experiments
from tests.fakes.clock import FakeClock

NAME, ARM = (semconv.prometheus_label(each) for each in (semconv.EXPERIMENT, semconv.EXPERIMENT_ARM))


class Told:
    """Experiments on a clock of our own, and what the metric says of them."""

    def __init__(self) -> None:
        self.clock, self._registry = FakeClock(), CollectorRegistry()
        self.experiments = Experiments(Instruments(self._registry), self.clock)

    def metric(self) -> Mapping[tuple[str, str], float]:
        families = {each.name: each for each in self._registry.collect()}
        family = families.get(semconv.EXPERIMENT_ACTIVE.prometheus_name)
        return {(each.labels[NAME], each.labels[ARM]): each.value for each in family.samples} if family else {}


@pytest.fixture
def told() -> Told:
    return Told()


def test_nothing_runs_before_somebody_says_so(told: Told) -> None:
    assert told.metric() == {}
    assert told.experiments.active() == []


def test_it_runs_until_its_end_is_told(told: Told) -> None:
    told.experiments.runs("slow-payments", "full", 5)
    assert told.metric() == {("slow-payments", "full"): 1}
    told.experiments.over("slow-payments")
    assert told.metric() == {("slow-payments", "full"): 0}
    told.experiments.over("slow-payments")


def test_who_falls_silent_is_believed_no_longer_than_was_said(told: Told) -> None:
    told.experiments.runs("slow-payments", "full", 5)
    told.clock.advance(4)
    told.experiments.runs("slow-payments", "full", 5)
    told.clock.advance(4.9)
    assert told.experiments.active() == [{"name": "slow-payments", "arm": "full", "remaining_s": 0.1}]
    told.clock.advance(0.2)
    assert told.metric() == {("slow-payments", "full"): 0}
    assert told.experiments.active() == []


def test_the_next_arm_takes_the_place_of_the_last(told: Told) -> None:
    told.experiments.runs("slow-payments", "off", 5)
    told.experiments.runs("slow-payments", "full", 5)
    assert told.metric() == {("slow-payments", "off"): 0, ("slow-payments", "full"): 1}


def test_labels_are_bounded_whatever_names_are_chosen(told: Told) -> None:
    for number in range(2 * MAX_SERIES):
        told.experiments.runs(f"e{number}", "full", 5)
    assert len(told.metric()) == MAX_SERIES + 1
    assert told.metric()[OTHER, OTHER] == 1
    told.clock.advance(6)
    assert set(told.metric().values()) == {0}

"""A session of which nothing was begun but what a test begins."""

from collections.abc import Sequence

import pytest

from chaos.measure.errors import DrivingError
from chaos.measure.samples import Sample
from chaos.toolkit.effect import Effect
from tests.unit.experiments.making import session


def test_a_run_without_samples_ends_and_says_why() -> None:
    running = session()
    running.end_broken("ValueError: no such column")
    assert running.is_ending
    assert str(running.ending) == running.ending.broken == "the samples broke: ValueError: no such column"


class Standing:
    """A fault that cannot be lifted as long as its host is away."""

    fault_id = ""

    def __init__(self, described: str, *, away: bool = False) -> None:
        self.described, self.away, self.lifted = described, away, 0

    def begin(self) -> None: ...

    def lift(self) -> None:
        if self.away:
            raise DrivingError("payments-1 does not answer")
        self.lifted += 1

    def effect(self, samples: Sequence[Sample]) -> Effect:
        return Effect(self.described, len(samples), "")


def test_a_fault_that_cannot_be_lifted_keeps_no_other_standing() -> None:
    running = session()
    first, second, third = Standing("a", away=True), Standing("b"), Standing("c", away=True)
    for each in (first, second, third):
        running.begin(each)
    with pytest.raises(DrivingError, match=r"^a: payments-1 does not answer; c: payments-1 does not answer$"):
        running.lift()
    assert second.lifted == 1
    first.away = third.away = False
    running.lift()
    running.lift()
    assert [each.lifted for each in (first, second, third)] == [1, 1, 1]

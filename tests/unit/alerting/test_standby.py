"""Who evaluates while a Prometheus is well, is not, and is again."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
from prometheus_client import CollectorRegistry

from observability.alerting.evaluator import Evaluator
from observability.alerting.prometheus import PrometheusError
from observability.alerting.standby import ROUNDS, Standby
from observability.metrics import Instruments
from tests.unit.alerting.making import BROWSE, CHECKOUT, Watched

CHECKS = "faultline_alerts_prometheus_checks_total"


class Prometheus:
    """As well as a test says."""

    problem = ""

    async def check(self, session: aiohttp.ClientSession) -> None:
        del session
        if self.problem:
            raise PrometheusError(self.problem)


class Scene:
    """A Prometheus and its standby, whose evaluators all look at one system."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self.prometheus, self.registry, self.rested = Prometheus(), CollectorRegistry(), 0
        self.watched: list[Watched] = []
        self.standby = Standby(self.prometheus, self._make, Instruments(self.registry), self._rests)
        self._session = session

    def _make(self) -> Evaluator:
        self.watched.append(Watched())
        return self.watched[-1].evaluator

    def _rests(self) -> None:
        self.rested += 1

    async def rounds(self, number: int, problem: str = "", failing: bool = False) -> None:
        """So many looks; checkouts fail or do not where somebody observes."""
        self.prometheus.problem = problem
        for _ in range(number):
            if await self.standby.choose(self._session) is not None:
                self.watched[-1].requests(CHECKOUT, **({"_201": 4, "_503": 4} if failing else {"_201": 8, "_503": 0}))
                self.watched[-1].requests(BROWSE, _200=20)
                self.watched[-1].pass_(2)

    def checks(self, result: str) -> float | None:
        return self.registry.get_sample_value(CHECKS, {"faultline_alerts_result": result})


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    async with aiohttp.ClientSession() as session:
        yield Scene(session)


async def test_nobody_stands_in_for_one_that_is_well(scene: Scene) -> None:
    assert (scene.checks("answered"), scene.checks("failed")) == (0, 0)
    await scene.rounds(10)
    assert scene.watched == []
    assert scene.standby.acting is None
    assert (scene.checks("answered"), scene.checks("failed")) == (10, 0)


async def test_one_that_is_late_now_and_then_is_waited_for(scene: Scene) -> None:
    for _ in range(5):
        await scene.rounds(ROUNDS - 1, "late")
        await scene.rounds(1)
    assert scene.watched == []


async def test_one_that_stays_unwell_is_stood_in_for_and_said_why(scene: Scene) -> None:
    await scene.rounds(ROUNDS, "its disk is full")
    assert scene.standby.acting is scene.watched[0].evaluator
    assert scene.standby.problem == "its disk is full"
    assert scene.checks("failed") == ROUNDS


async def test_once_it_is_well_again_it_evaluates_alone(scene: Scene) -> None:
    await scene.rounds(10, "away")
    await scene.rounds(1)
    assert scene.standby.acting is None
    assert scene.rested == 1
    await scene.rounds(ROUNDS, "away")
    assert len(scene.watched) == 2  # what the first one remembered has a gap


async def test_what_was_told_to_fire_is_told_to_end_by_who_told_it(scene: Scene) -> None:
    await scene.rounds(60, "away", failing=True)
    told = scene.watched[0].told
    assert ("firing", "CheckoutAvailabilityBurnRate", "page") in told()
    await scene.rounds(1)
    assert (scene.standby.acting, scene.rested) == (None, 0)
    before = len([each for each in told() if each[0] == "firing"])
    await scene.rounds(600)
    assert ("resolved", "CheckoutAvailabilityBurnRate", "page") in told()
    assert len([each for each in told() if each[0] == "firing"]) == before
    assert scene.rested == 1


async def test_one_that_is_unwell_again_before_that_is_stood_in_for_at_once(scene: Scene) -> None:
    await scene.rounds(60, "away", failing=True)
    await scene.rounds(1, failing=True)
    await scene.rounds(1, "away again", failing=True)
    assert scene.standby.acting is scene.watched[0].evaluator

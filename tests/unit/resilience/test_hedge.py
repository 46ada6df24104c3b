import asyncio

import pytest

from services.chassis.errors import FaultlineError, ProblemError
from services.chassis.resilience.attempt import Attempt
from services.chassis.resilience.clock import Surroundings
from services.chassis.resilience.deadline import NO_DEADLINE
from services.chassis.resilience.events import AttemptEnded, Event, HedgeEnded, HedgeResult, HedgeSent
from services.chassis.resilience.hedge import HedgeConfig
from services.chassis.resilience.outcome import Outcome
from services.chassis.resilience.pipeline import Pipeline
from services.chassis.resilience.policy import EdgePolicy
from services.chassis.resilience.quantile import Quantile
from services.chassis.resilience.retry import RetryConfig
from services.chassis.resilience.retry_budget import RetryBudgetConfig
from tests.fakes.clock import FakeClock
from tests.unit.resilience.failing import CLASSIFY, EDGE, refused

READ = "GetProduct"
CONFIG = HedgeConfig(frozenset({READ}), window=20, minimum=20, least_delay_s=0.001)
POLICY = EdgePolicy(hedge=CONFIG, retry=RetryConfig(max_attempts=2), budget=RetryBudgetConfig(ratio=1.0))


class Hedged:
    """A pipeline whose sleeps end when told to, at a peer whose attempts do."""

    def __init__(self, policy: EdgePolicy = POLICY) -> None:
        self.clock, self.heard = FakeClock(), list[Event]()
        self.sleeps: list[tuple[float, asyncio.Event]] = []
        self.attempts: dict[int, asyncio.Future[str]] = {}
        around = Surroundings(self.clock, self._sleep)
        self.pipeline = Pipeline(EDGE, policy, self.heard.append, CLASSIFY, around)

    async def _sleep(self, seconds: float) -> None:
        self.sleeps.append((seconds, asyncio.Event()))
        await self.sleeps[-1][1].wait()

    async def knows(self, *seconds: float) -> None:
        """Lets attempts take these times, twenty in all, so that the usual is known."""
        for each in seconds * (20 // len(seconds)):
            await self.pipeline.run(READ, lambda _, each=each: self._takes(each), idempotent=True)  # type: ignore[misc]

    async def _takes(self, seconds: float) -> None:
        self.clock.advance(seconds)

    def begin(self, operation: str = READ, *, idempotent: bool = True) -> asyncio.Task[str]:
        self.heard.clear()
        return asyncio.create_task(self.pipeline.run(operation, self._attempt, idempotent=idempotent))

    async def _attempt(self, attempt: Attempt) -> str:
        self.attempts[attempt.number] = asyncio.get_running_loop().create_future()
        return await self.attempts[attempt.number]

    async def until(self, *numbers: int, asleep: int = 0) -> None:
        """Returns when these attempts are under way and so many sleep."""
        while not ({*numbers} <= self.attempts.keys() and len(self.sleeps) >= asleep):  # noqa: ASYNC110  # both change
            await asyncio.sleep(0)  # lets the tasks go on; time does not pass

    async def wake(self) -> None:
        await self.until(asleep=1)
        self.sleeps.pop()[1].set()

    @property
    def results(self) -> list[HedgeResult]:
        return [event.result for event in self.heard if isinstance(event, HedgeEnded)]

    @property
    def delays(self) -> list[float]:
        return [event.delay_s for event in self.heard if isinstance(event, HedgeSent)]

    @property
    def outcomes(self) -> dict[int, Outcome]:
        ended = [event for event in self.heard if isinstance(event, AttemptEnded)]
        return {event.number: CLASSIFY(event.error) if event.error else Outcome.SUCCESS for event in ended}


@pytest.fixture
async def hedged() -> Hedged:
    made = Hedged()
    await made.knows(0.1)
    return made


async def sent(hedged: Hedged) -> asyncio.Task[str]:
    """A call whose hedge is under way."""
    call = hedged.begin()
    await hedged.wake()
    await hedged.until(1, 2)
    return call


async def test_a_quick_answer_needs_no_hedge(hedged: Hedged) -> None:
    call = hedged.begin()
    await hedged.until(1, asleep=1)
    hedged.attempts[1].set_result("first")
    assert await call == "first"
    assert [type(event) for event in hedged.heard] == [AttemptEnded]


async def test_a_slow_one_is_asked_for_again_after_the_usual_time(hedged: Hedged) -> None:
    await sent(hedged)
    assert hedged.delays == [pytest.approx(0.1)]


@pytest.mark.parametrize(("winner", "loser", "result"), [(2, 1, HedgeResult.WON), (1, 2, HedgeResult.LOST)])
async def test_the_sooner_answer_counts_and_the_other_counts_as_nothing(
    hedged: Hedged, winner: int, loser: int, result: HedgeResult
) -> None:
    call = await sent(hedged)
    hedged.attempts[winner].set_result("sooner")
    assert await call == "sooner"
    assert hedged.results == [result]
    assert hedged.attempts[loser].cancelled()
    assert hedged.outcomes == {winner: Outcome.SUCCESS, loser: Outcome.CANCELLED}


async def test_a_refusal_is_an_answer(hedged: Hedged) -> None:
    call = await sent(hedged)
    hedged.attempts[2].set_exception(ProblemError("product-not-found"))
    with pytest.raises(ProblemError):
        await call
    assert hedged.results == [HedgeResult.WON]


async def test_a_failure_is_none_while_the_other_may_still_answer(hedged: Hedged) -> None:
    call = await sent(hedged)
    hedged.attempts[1].set_exception(refused())
    await asyncio.sleep(0)
    hedged.attempts[2].set_result("second")
    assert await call == "second"
    assert hedged.results == [HedgeResult.WON]


async def test_when_both_fail_nothing_more_is_tried(hedged: Hedged) -> None:
    call = await sent(hedged)
    hedged.attempts[1].set_exception(refused())
    hedged.attempts[2].set_exception(refused())
    with pytest.raises(FaultlineError) as caught:
        await call
    assert caught.value.retried
    assert hedged.results == [HedgeResult.FAILED]
    assert hedged.attempts.keys() == {1, 2}


async def test_one_that_fails_before_its_hedge_is_retried_instead(hedged: Hedged) -> None:
    call = hedged.begin()
    await hedged.until(1, asleep=1)
    hedged.sleeps.clear()
    hedged.attempts[1].set_exception(refused())
    await hedged.wake()
    await hedged.until(2)
    hedged.attempts[2].set_result("second")
    assert await call == "second"
    assert hedged.results == []


async def test_a_budget_that_has_none_left_sends_none() -> None:
    hedged = Hedged(EdgePolicy(hedge=CONFIG, budget=RetryBudgetConfig(ratio=0.01, floor_per_s=0)))
    await hedged.knows(0.1)
    call = hedged.begin()
    await hedged.wake()
    await hedged.until(1)
    hedged.attempts[1].set_result("first")
    assert await call == "first"
    assert hedged.attempts.keys() == {1}


async def test_a_caller_that_goes_away_leaves_nothing_behind(hedged: Hedged) -> None:
    call = await sent(hedged)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert hedged.attempts[1].cancelled()
    assert hedged.attempts[2].cancelled()
    assert hedged.outcomes == {1: Outcome.CANCELLED, 2: Outcome.CANCELLED}


@pytest.mark.parametrize(("operation", "idempotent"), [("PlaceOrder", True), (READ, False)])
async def test_only_idempotent_reads_are_hedged(hedged: Hedged, operation: str, idempotent: bool) -> None:
    call = hedged.begin(operation, idempotent=idempotent)
    await hedged.until(1)
    assert hedged.sleeps == []
    hedged.attempts[1].set_result("first")
    assert await call == "first"


async def test_nothing_is_hedged_while_little_is_known() -> None:
    hedged = Hedged()
    call = hedged.begin()
    await hedged.until(1)
    assert hedged.sleeps == []
    hedged.attempts[1].set_result("first")
    await call


async def test_the_wait_is_the_95th_percentile_of_what_answers_took() -> None:
    hedged = Hedged()
    await hedged.knows(*[0.01] * 19, 3.0)
    call = await sent(hedged)
    assert hedged.delays == [pytest.approx(3.0)]
    hedged.attempts[1].set_result("first")
    await call


def test_a_quantile_forgets_what_is_old() -> None:
    quantile = Quantile(0.95, window=20, minimum=20)
    for _ in range(20):
        quantile.add(9.0)
    for number in range(100):
        quantile.add(number / 100)
    assert 0.9 < (quantile.value() or 0) < 1.0


def test_and_says_nothing_of_a_few() -> None:
    quantile = Quantile(0.95, window=20, minimum=3)
    quantile.add(1.0)
    quantile.add(2.0)
    assert quantile.value() is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"operations": frozenset()},
        {"percentile": 0.2},
        {"percentile": 1.0},
        {"minimum": 0},
        {"window": 5},
        {"least_delay_s": 0.0},
    ],
)
def test_what_makes_no_sense_cannot_be_configured(wrong: dict[str, object]) -> None:
    sensible: dict[str, object] = {"operations": frozenset({READ}), "minimum": 10, "window": 20}
    with pytest.raises(ValueError, match=r"operations|percentile|minimum|least_delay_s"):
        HedgeConfig(**(sensible | wrong))  # type: ignore[arg-type]  # that is the point


async def test_an_attempt_without_limits_has_no_deadline(hedged: Hedged) -> None:
    async def limit(attempt: Attempt) -> bool:
        return attempt.limit is NO_DEADLINE

    assert await hedged.pipeline.run("PlaceOrder", limit)

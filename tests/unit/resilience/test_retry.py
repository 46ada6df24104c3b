import asyncio
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.errors import (
    AttemptTimeoutError,
    CallRejectedError,
    FaultlineError,
    PeerFailedError,
    PeerUnavailableError,
    ProblemError,
)
from services.chassis.resilience import deadline
from services.chassis.resilience.attempt import Attempt
from services.chassis.resilience.clock import Surroundings
from services.chassis.resilience.deadline import Deadline
from services.chassis.resilience.events import BudgetAsked, Event, RetryScheduled, RetryStopped, Stopped
from services.chassis.resilience.retry import Retry, RetryConfig
from services.chassis.resilience.retry_budget import RetryBudget, RetryBudgetConfig
from services.chassis.resilience.timeouts import unlimited
from tests.fakes.surroundings import FakeTime, surroundings
from tests.unit.resilience.failing import CLASSIFY, EDGE, Peer, refused

CONFIG = RetryConfig(max_attempts=4, base_delay_s=0.1, max_delay_s=0.3)


class Retrying:
    """A Retry with everything around it in the test's hands."""

    def __init__(self, budget: RetryBudget | None = None, random: Random | None = None) -> None:
        self.time, self.heard = FakeTime(), list[Event]()
        self.retry = Retry(CONFIG, budget, surroundings(self.time, random), CLASSIFY, self.heard.append)

    async def run(self, peer: Peer, *, idempotent: bool = True) -> int:
        result: int = await self.retry.run(peer.call(idempotent=idempotent), unlimited)
        return result

    async def fails(self, peer: Peer, *, idempotent: bool = True) -> FaultlineError:
        with pytest.raises(FaultlineError) as caught:
            await self.run(peer, idempotent=idempotent)
        return caught.value

    @property
    def stopped(self) -> list[Stopped]:
        return [event.reason for event in self.heard if isinstance(event, RetryStopped)]


def failed(problem: ProblemError) -> PeerFailedError:
    return PeerFailedError(EDGE, "Authorize", problem)


async def test_a_good_answer_needs_no_second() -> None:
    retrying, peer = Retrying(), Peer()
    assert await retrying.run(peer) == 1
    assert (peer.attempts, retrying.heard) == ([1], [])


async def test_a_failure_is_made_good_after_a_while() -> None:
    retrying, peer = Retrying(), Peer([refused(), refused()])
    assert await retrying.run(peer) == 3
    assert retrying.time.slept == [0.1, 0.2]
    assert retrying.heard == [RetryScheduled("Authorize", 2, 0.1), RetryScheduled("Authorize", 3, 0.2)]


async def test_after_so_many_attempts_the_last_error_is_raised_and_says_so() -> None:
    errors = [refused() for _ in range(4)]
    retrying, peer = Retrying(), Peer(errors)
    assert await retrying.fails(peer) is errors[-1]
    assert errors[-1].retried
    assert (peer.attempts, retrying.stopped) == ([1, 2, 3, 4], [Stopped.ATTEMPTS])
    assert retrying.time.slept == [0.1, 0.2, 0.3], "doubled, up to the most"


@pytest.mark.parametrize(
    "error",
    [
        refused(),
        AttemptTimeoutError(EDGE, "Authorize", "no answer in 1 s"),
        failed(ProblemError("internal")),
        ProblemError("too-many-requests"),
    ],
    ids=str,
)
async def test_the_peers_failures_and_backpressure_are_retried(error: FaultlineError) -> None:
    assert await Retrying().run(Peer([error])) == 2


@pytest.mark.parametrize(
    "error",
    [ProblemError("payment-declined"), ProblemError("not-found"), CallRejectedError(EDGE, "Authorize", "open")],
    ids=str,
)
async def test_refusals_and_our_own_rejections_are_not(error: FaultlineError) -> None:
    retrying, peer = Retrying(), Peer(always=lambda: error)
    assert await retrying.fails(peer) is error
    assert (peer.attempts, retrying.heard, error.retried) == ([1], [], False)


async def test_what_may_take_effect_twice_is_not_retried() -> None:
    retrying, peer = Retrying(), Peer(always=refused)
    error = await retrying.fails(peer, idempotent=False)
    assert (peer.attempts, retrying.stopped) == ([1], [Stopped.UNSAFE])
    assert not error.retried, "a caller further away may know how to make it safe"


async def test_unless_it_is_certain_that_it_took_none() -> None:
    error = refused()
    error.took_no_effect = True
    assert await Retrying().run(Peer([error]), idempotent=False) == 2


@pytest.mark.parametrize("asked", [0.05, 5.0])
async def test_a_peer_can_ask_for_a_longer_wait(asked: float) -> None:
    retrying = Retrying()
    assert await retrying.run(Peer([failed(ProblemError("service-unavailable", retry_after=asked))])) == 2
    assert retrying.time.slept == [max(asked, 0.1)]


async def test_and_to_be_left_alone() -> None:
    error = refused()
    error.pushback = -1.0
    retrying, peer = Retrying(), Peer(always=lambda: error)
    assert (await retrying.fails(peer)).retried
    assert (peer.attempts, retrying.stopped) == ([1], [Stopped.PUSHBACK])


async def test_an_attempt_that_would_come_too_late_is_not_made() -> None:
    retrying, peer = Retrying(), Peer(always=refused)
    with deadline.bound(Deadline.after(0.25, retrying.time)):
        error = await retrying.fails(peer)
    assert (peer.attempts, retrying.stopped, error.retried) == ([1, 2], [Stopped.DEADLINE], True)


async def test_what_was_retried_nearer_to_the_failure_is_handed_on_as_it_is() -> None:
    error = failed(ProblemError("service-unavailable", extensions={"retried": "true"}))
    retrying, peer = Retrying(), Peer(always=lambda: error)
    assert await retrying.fails(peer) is error
    assert (peer.attempts, retrying.stopped, error.retried) == ([1], [Stopped.RETRIED], True)


async def test_a_budget_that_has_none_left_ends_it() -> None:
    time = FakeTime()
    budget = RetryBudget(RetryBudgetConfig(), time)
    for _ in range(5):
        budget.deposit()
    retrying, peer = Retrying(budget), Peer(always=refused)
    error = await retrying.fails(peer)
    assert (peer.attempts, retrying.stopped, error.retried) == ([1, 2], [Stopped.BUDGET], True)
    asked = [event.granted for event in retrying.heard if isinstance(event, BudgetAsked)]
    assert asked == [True, False]


async def test_a_defect_is_raised_at_once() -> None:
    async def defect(_: Attempt) -> None:
        raise ZeroDivisionError

    retrying = Retrying()
    with pytest.raises(ZeroDivisionError):
        await retrying.retry.run(Peer().call(), lambda _call, number: defect(Attempt(number, deadline.NO_DEADLINE)))
    assert retrying.heard == []


async def test_a_caller_that_goes_away_while_waiting_is_gone() -> None:
    asleep = asyncio.Event()

    async def sleep(_: float) -> None:
        asleep.set()
        await asyncio.Event().wait()

    peer = Peer(always=refused)
    retry = Retry(CONFIG, None, Surroundings(sleep=sleep), CLASSIFY, lambda _: None)
    call = asyncio.create_task(retry.run(peer.call(), unlimited))
    await asleep.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert peer.attempts == [1]


@given(seed=st.integers(), attempts=st.integers(2, 10), base=st.floats(0.001, 1), factor=st.floats(1, 60))
def test_waits_are_spread_over_all_that_is_allowed_and_no_more(
    seed: int, attempts: int, base: float, factor: float
) -> None:
    config = RetryConfig(attempts, base, min(60.0, base * factor))
    time, peer = FakeTime(), Peer(always=refused)
    retry = Retry(config, None, surroundings(time, Random(seed)), CLASSIFY, lambda _: None)
    with pytest.raises(PeerUnavailableError):
        asyncio.run(retry.run(peer.call(), unlimited))
    expected = Random(seed)
    assert time.slept == [
        expected.uniform(0, min(config.max_delay_s, base * 2**exponent)) for exponent in range(attempts - 1)
    ]


@pytest.mark.parametrize(
    ("attempts", "base", "greatest"),
    [(1, 0.1, 1), (11, 0.1, 1), (3, 0, 1), (3, 2, 1), (3, 1, 61), (3, float("nan"), 1)],
)
def test_what_makes_no_sense_cannot_be_configured(attempts: int, base: float, greatest: float) -> None:
    with pytest.raises(ValueError, match=r"max_attempts|delays"):
        RetryConfig(attempts, base, greatest)

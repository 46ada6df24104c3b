import asyncio
from functools import partial

import pytest

from services.chassis.edge import Edge
from services.chassis.errors import AttemptTimeoutError, DeadlineExceededError, DeadlineSpentError
from services.chassis.resilience import deadline
from services.chassis.resilience.deadline import Deadline
from services.chassis.resilience.events import AttemptEnded, Event
from services.chassis.resilience.outcome import of_error
from services.chassis.resilience.pipeline import Attempt, EdgePolicy, Pipeline
from services.contracts.errors import CATALOGUE
from tests.fakes.clock import FakeClock

CLASSIFY = partial(of_error, catalogue=CATALOGUE)
EDGE = Edge("orders", "payments", "grpc")
LONG = 60.0
SHORT = 0.01


async def never(_: Attempt) -> None:
    await asyncio.Event().wait()


async def number(attempt: Attempt) -> int:
    return attempt.number


def pipeline(attempt_timeout: float, heard: list[Event] | None = None) -> Pipeline:
    return Pipeline(EDGE, EdgePolicy(attempt_timeout), (heard if heard is not None else []).append, CLASSIFY)


@pytest.mark.parametrize("seconds", [0, -1, float("nan")])
def test_an_attempt_needs_time(seconds: float) -> None:
    with pytest.raises(ValueError, match="attempt_timeout"):
        EdgePolicy(seconds)


async def test_an_answer_is_handed_back_and_told() -> None:
    heard: list[Event] = []
    assert await pipeline(LONG, heard).run("Authorize", number) == 1
    assert heard == [AttemptEnded("Authorize", 1, None)]


async def test_an_attempt_ends_at_its_own_limit() -> None:
    heard: list[Event] = []
    with pytest.raises(AttemptTimeoutError, match=r"orders → payments Authorize: no answer in 0\.010 s") as caught:
        await pipeline(SHORT, heard).run("Authorize", never)
    assert heard == [AttemptEnded("Authorize", 1, caught.value)]
    assert caught.value.retry_after == 1.0


async def test_an_attempt_ends_at_the_deadline_if_that_is_sooner() -> None:
    with deadline.bound(Deadline.after(SHORT, FakeClock())), pytest.raises(DeadlineExceededError):
        await pipeline(LONG).run("Authorize", never)


async def test_a_limit_around_the_same_deadline_that_fires_first_still_counts_as_the_deadline() -> None:
    """As a server does: its own timer is older than the call's, and so the first to end the work."""
    with pytest.raises(TimeoutError), deadline.bound(Deadline.after(SHORT)):
        async with asyncio.timeout(SHORT):
            await pipeline(LONG).run("Authorize", never)


async def test_a_spent_deadline_is_refused_before_anything_is_sent() -> None:
    heard: list[Event] = []
    with deadline.bound(Deadline.after(0)), pytest.raises(DeadlineSpentError, match="before the call began"):
        await pipeline(LONG, heard).run("Authorize", number)
    assert heard == []


@pytest.mark.parametrize(
    ("budget", "own", "error"),
    [(LONG, SHORT, AttemptTimeoutError), (SHORT, LONG, DeadlineExceededError)],
)
async def test_the_attempt_knows_its_limit_and_whose_that_is(budget: float, own: float, error: type[Exception]) -> None:
    async def ask(attempt: Attempt) -> Attempt:
        return attempt

    with deadline.bound(Deadline.after(budget)):
        attempt = await pipeline(own).run("Authorize", ask)
    assert attempt.limit.remaining() <= SHORT
    assert type(attempt.spent(EDGE, "Authorize", "the peer said so")) is error


async def test_a_timeout_of_something_inside_is_not_the_attempts() -> None:
    async def inside(_: Attempt) -> None:
        raise TimeoutError("of a socket")

    with pytest.raises(TimeoutError, match="of a socket"):
        await pipeline(LONG).run("Authorize", inside)


def test_calls_may_move_to_another_event_loop() -> None:
    piped = pipeline(SHORT)
    for _ in range(2):
        with pytest.raises(AttemptTimeoutError):
            asyncio.run(piped.run("Authorize", never))


async def test_a_caller_that_goes_away_is_told_as_cancelled() -> None:
    heard: list[Event] = []
    begun = asyncio.Event()

    async def begin(_: Attempt) -> None:
        begun.set()
        await asyncio.Event().wait()

    call = asyncio.create_task(pipeline(LONG, heard).run("Authorize", begin))
    await begun.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    (event,) = heard
    assert isinstance(event, AttemptEnded)
    assert isinstance(event.error, asyncio.CancelledError)

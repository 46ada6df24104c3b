"""Attempts at the peer by logical calls: what retries cost a peer that is down, and a chain that leads to it."""

import pytest

from services.chassis.errors import CallError, PeerFailedError, answer_to
from services.chassis.resilience.attempt import Attempt
from services.chassis.resilience.deadline import NO_DEADLINE
from services.chassis.resilience.pipeline import Pipeline
from services.chassis.resilience.policy import PRESETS, EdgePolicy, Preset
from services.chassis.resilience.retry import RetryConfig
from services.chassis.resilience.retry_budget import RetryBudgetConfig
from tests.fakes.surroundings import FakeTime, surroundings
from tests.unit.resilience.failing import CLASSIFY, EDGE, Peer, refused

CALLS = 200
PER_SECOND = 10
DECLARED = EdgePolicy(attempt_timeout=60.0, retry=RetryConfig(), budget=RetryBudgetConfig())


def pipeline(preset: Preset, time: FakeTime) -> Pipeline:
    return Pipeline(EDGE, DECLARED.only(PRESETS[preset]), lambda _: None, CLASSIFY, surroundings(time))


async def amplification(edge: Pipeline, peer: Peer, time: FakeTime) -> float:
    begun = time.now
    before = len(peer.attempts)
    for number in range(CALLS):
        time.now = max(time.now, begun + number / PER_SECOND)
        with pytest.raises(CallError):
            await edge.run("Authorize", peer, idempotent=True)
    return (len(peer.attempts) - before) / CALLS


@pytest.mark.parametrize(("preset", "expected"), [("off", 1), ("timeouts", 1), ("retries", 3), ("breaker", 1)])
async def test_a_dead_peer_gets_as_many_attempts_as_the_preset_makes(preset: Preset, expected: int) -> None:
    time = FakeTime()
    assert await amplification(pipeline(preset, time), Peer(always=refused), time) == expected


async def test_with_a_budget_it_gets_a_fifth_more_than_its_calls_at_most() -> None:
    time = FakeTime()
    assert 1.1 < await amplification(pipeline("budgeted", time), Peer(always=refused), time) <= 1.2


@pytest.mark.parametrize("length", [2, 3])
async def test_in_a_chain_only_the_last_caller_retries(length: int) -> None:
    """Attempts would multiply with each link: 9 for two callers, 27 for three."""
    time, peer = FakeTime(), Peer(always=refused)
    edges = [pipeline("retries", time) for _ in range(length)]

    async def ask(attempt: Attempt, further: list[Pipeline]) -> int:
        if not further:
            return await peer(attempt)
        try:
            return await further[0].run("Authorize", lambda each: ask(each, further[1:]), idempotent=True)
        except CallError as error:  # as a server answers, and the client before it understands
            raise PeerFailedError(EDGE, "Authorize", answer_to(error, "")) from error

    with pytest.raises(CallError):
        await ask(Attempt(1, NO_DEADLINE), edges)
    assert peer.attempts == [1, 2, 3]

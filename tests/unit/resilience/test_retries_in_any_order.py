"""Calls, outcomes, deadlines, time and switches in any order: what retries must never do, whatever happens."""

import asyncio
from collections.abc import Callable, Mapping
from random import Random

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from services.chassis.errors import CallRejectedError, FaultlineError, ProblemError
from services.chassis.resilience import deadline
from services.chassis.resilience.attempt import Attempt
from services.chassis.resilience.deadline import Deadline
from services.chassis.resilience.events import BudgetAsked, Event, RetryStopped, Stopped
from services.chassis.resilience.outcome import RETRYABLE
from services.chassis.resilience.pipeline import Pipeline
from services.chassis.resilience.policy import PRESETS, EdgePolicy
from services.chassis.resilience.retry import RetryConfig
from services.chassis.resilience.retry_budget import RetryBudgetConfig
from tests.fakes.surroundings import FakeTime, surroundings
from tests.unit.resilience.failing import CLASSIFY, EDGE, refused

RETRY = RetryConfig(max_attempts=3, base_delay_s=0.1, max_delay_s=1.0)
DECLARED = EdgePolicy(retry=RETRY, budget=RetryBudgetConfig())


def _with(**changes: object) -> FaultlineError:
    error = refused()
    for name, value in changes.items():
        setattr(error, name, value)
    return error


ANSWERS: Mapping[str, Callable[[], FaultlineError | None]] = {
    "well": lambda: None,
    "failure": refused,
    "harmless": lambda: _with(took_no_effect=True),
    "retried": lambda: _with(retried=True),
    "later": lambda: _with(pushback=0.5),
    "never": lambda: _with(pushback=-1.0),
    "busy": lambda: ProblemError("too-many-requests"),
    "refusal": lambda: ProblemError("payment-declined"),
    "rejected": lambda: CallRejectedError(EDGE, "Authorize", "no"),
}


class Retried(RuleBasedStateMachine):
    """One edge, whose peer answers as the rules say."""

    @initialize(seed=st.integers(0, 1000))
    def begin(self, seed: int) -> None:
        self.time, self.heard = FakeTime(), list[Event]()
        around = surroundings(self.time, Random(seed))
        self.pipeline = Pipeline(EDGE, DECLARED, self.heard.append, CLASSIFY, around)
        self.calls = self.retries = 0

    @rule(
        answers=st.lists(st.sampled_from(sorted(ANSWERS)), min_size=1, max_size=4),
        idempotent=st.booleans(),
        seconds=st.none() | st.floats(0.01, 2),
    )
    def call(self, answers: list[str], idempotent: bool, seconds: float | None) -> None:
        limit = Deadline.after(seconds, self.time) if seconds is not None else deadline.NO_DEADLINE
        script, made, error = list(answers), list[str](), None

        async def attempt(_: Attempt) -> None:
            assert not limit.spent(), "an attempt came too late"
            made.append(script.pop(0) if script else "failure")
            if raised := ANSWERS[made[-1]]():
                raise raised

        self.heard.clear()
        try:
            with deadline.bound(limit):
                asyncio.run(self.pipeline.run("Authorize", attempt, idempotent=idempotent))
        except FaultlineError as exc:
            error = exc
        self.calls += 1
        if self.pipeline.policy.budget and self.pipeline.policy.retry:
            self.retries += len(made) - 1
        self._check(made, error, idempotent=idempotent)

    def _check(self, made: list[str], error: FaultlineError | None, *, idempotent: bool) -> None:
        assert 1 <= len(made) <= (RETRY.max_attempts if self.pipeline.policy.retry else 1)
        for answer in made[:-1]:
            assert answer in {"failure", "harmless", "later", "busy"}, "that was no reason to try again"
            assert idempotent or answer == "harmless", "it may have taken effect twice"
        assert (error is None) == (made[-1] == "well")
        stopped = [event.reason for event in self.heard if isinstance(event, RetryStopped)]
        if error is not None and self.pipeline.policy.retry and CLASSIFY(error) in RETRYABLE:
            assert len(stopped) == 1, "who gives up says why"
            assert error.retried == (stopped != [Stopped.UNSAFE]), "and says so to callers further away"
        else:
            assert stopped == []
        if self.pipeline.policy.retry and self.pipeline.policy.budget:
            assert sum(event.granted for event in self.heard if isinstance(event, BudgetAsked)) == len(made) - 1

    @rule(seconds=st.floats(0, 30))
    def pass_time(self, seconds: float) -> None:
        self.time.advance(seconds)

    @rule(preset=st.sampled_from(list(PRESETS)))
    def switch(self, preset: str) -> None:
        budget = self.pipeline.policy.budget
        self.pipeline.switch(DECLARED.only(PRESETS[preset]))  # type: ignore[index]  # it is one of its keys
        if self.pipeline.policy.budget and not budget:
            self.calls, self.retries, self.begun = 0, 0, self.time.now  # a new budget, without credit

    @precondition(lambda self: hasattr(self, "pipeline"))
    @invariant()
    def amplification_is_bounded(self) -> None:
        if self.pipeline.policy.budget:
            seconds = self.time.now - getattr(self, "begun", 100.0)
            assert self.retries <= 0.2 * self.calls + 0.2 * seconds + 1e-6


TestRetried = Retried.TestCase
TestRetried.settings = settings(max_examples=40, stateful_step_count=20, deadline=None)

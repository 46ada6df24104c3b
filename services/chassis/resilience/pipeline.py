"""One edge's policies, composed in their documented order around each attempt.

The order, outermost first: fallback → deadline → hedge or retry (budget) → circuit breaker → bulkhead → attempt timeout.
A policy that is not in force is not there: it costs nothing.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, TypeVar, cast

from services.chassis.edge import Edge
from services.chassis.errors import CallRejectedError, DeadlineSpentError, FaultlineError
from services.chassis.resilience import deadline
from services.chassis.resilience.attempt import Attempt, Call, Try
from services.chassis.resilience.bulkhead import Bulkhead, BulkheadLoad
from services.chassis.resilience.circuit_breaker import BreakerSnapshot, CircuitBreaker, CircuitBreakerConfig
from services.chassis.resilience.clock import Surroundings
from services.chassis.resilience.events import (
    AttemptEnded,
    BreakerEvent,
    BreakerRejected,
    BreakerState,
    FellBack,
    Listener,
)
from services.chassis.resilience.fallback import Degraded, Fallback
from services.chassis.resilience.guards import BreakerGuard, BulkheadGuard
from services.chassis.resilience.hedge import Hedge
from services.chassis.resilience.outcome import RETRYABLE, Classify, Outcome
from services.chassis.resilience.policy import EdgePolicy, PolicyName
from services.chassis.resilience.retry import Retry
from services.chassis.resilience.retry_budget import RetryBudget
from services.chassis.resilience.timeouts import Timeouts, unlimited

T = TypeVar("T")
F = TypeVar("F")


@dataclass(frozen=True)
class _Parts:
    """The policies of an edge that have a state."""

    budget: RetryBudget | None = None
    hedge: Hedge | None = None
    breaker: CircuitBreaker | None = None
    bulkhead: Bulkhead | None = None


@dataclass(frozen=True)
class _InForce:
    """A policy composed; never changed, so that each call keeps the one it began with."""

    policy: EdgePolicy
    parts: _Parts
    perform: Try


class Pipeline:
    """The policies of one edge. Shared by all its calls; holds no state of a single one.

    Calls are made in one thread; `switch` may be called from any other, one at a time, and `state` from any.
    """

    def __init__(
        self,
        edge: Edge,
        policy: EdgePolicy,
        listener: Listener,
        classify: Classify,
        surroundings: Surroundings | None = None,
    ) -> None:
        self.edge, self._tell, self._classify = edge, listener, classify
        self._surroundings = surroundings or Surroundings()
        self._now = self._composed(policy, _Parts())

    @property
    def policy(self) -> EdgePolicy:
        """What is in force."""
        return self._now.policy

    def switch(self, policy: EdgePolicy) -> None:
        """Puts `policy` in force for calls that begin from now on. What stays as it was keeps its state."""
        self._now = self._composed(policy, self._now.parts)

    def state(self) -> Mapping[PolicyName, Mapping[str, Any]]:
        """The live state of those policies that are in force and have one."""
        parts, state = self._now.parts, dict[PolicyName, Mapping[str, Any]]()
        if parts.budget:
            state["budget"] = {"balance": round(parts.budget.balance(), 3)}
        if parts.breaker:
            state["breaker"] = asdict(parts.breaker.snapshot())
        if parts.bulkhead:
            state["bulkhead"] = parts.bulkhead.load._asdict()
        return state

    def breaker_state(self) -> BreakerState:
        """That of the breaker in force; without one the edge is as if it had one that is disabled. From any thread."""
        breaker = self._now.parts.breaker
        return breaker.state if breaker else BreakerState.DISABLED

    def breaker(self) -> BreakerSnapshot | None:
        """How the breaker in force stands; None where there is none. From any thread."""
        breaker = self._now.parts.breaker
        return breaker.snapshot() if breaker else None

    def bulkhead_load(self) -> BulkheadLoad:
        """That of the bulkhead in force, nothing where there is none. From any thread."""
        bulkhead = self._now.parts.bulkhead
        return bulkhead.load if bulkhead else BulkheadLoad(0, 0)

    async def run(self, operation: str, attempt: Callable[[Attempt], Awaitable[T]], *, idempotent: bool = False) -> T:
        """Performs `attempt` under the policies; raises what it raises, or a `CallError` of ours."""
        return cast("T", await self._performed(self._now, Call(operation, attempt, idempotent)))

    async def run_or(
        self,
        operation: str,
        attempt: Callable[[Attempt], Awaitable[T]],
        fallback: Fallback[F],
        *,
        idempotent: bool = False,
    ) -> T | Degraded[F]:
        """As `run`; but where there is no answer, and fallbacks are in force, what `fallback` gives instead, if any."""
        now, call = self._now, Call(operation, attempt, idempotent)
        if now.policy.fallback is None:
            return cast("T", await self._performed(now, call))
        try:
            with deadline.all_but(now.policy.fallback.reserve_s):
                return cast("T", await self._performed(now, call))
        except FaultlineError as error:
            if self._classify(error) not in _UNANSWERED:
                raise
            instead = fallback(error)
            self._tell(FellBack(operation, error, instead is not None))
            if instead is None:
                raise
            return instead

    def _performed(self, now: _InForce, call: Call) -> Awaitable[Any]:
        if now.policy.attempt_timeout is not None and deadline.current().spent():
            raise DeadlineSpentError(self.edge, call.operation, "the deadline was spent before the call began")
        if now.parts.budget:
            now.parts.budget.deposit()
        return now.perform(call, 1)

    def _composed(self, policy: EdgePolicy, before: _Parts) -> _InForce:
        parts = self._parts(policy, before)
        perform = self._told(self._limited(policy))
        if parts.bulkhead:
            perform = BulkheadGuard(self.edge, parts.bulkhead, perform)
        if parts.breaker:
            perform = BreakerGuard(self.edge, parts.breaker, self._surroundings.clock, self._classify, perform)
        if parts.hedge:
            perform = _hedged(parts.hedge, perform)
        if policy.retry:
            retry = Retry(policy.retry, parts.budget, self._surroundings, self._classify, self._tell)
            perform = _retried(retry, perform)
        return _InForce(policy, parts, perform)

    def _parts(self, policy: EdgePolicy, before: _Parts) -> _Parts:
        """The parts that `policy` asks for: those from before where they are configured alike."""
        budget, hedge, breaker, bulkhead = before.budget, before.hedge, before.breaker, before.bulkhead
        around = self._surroundings
        if _other(budget, policy.budget):
            budget = RetryBudget(policy.budget, around.clock) if policy.budget else None
        if _other(hedge, policy.hedge) or budget is not before.budget:
            hedge = Hedge(policy.hedge, budget, around, self._classify, self._tell) if policy.hedge else None
        if _other(breaker, policy.breaker):
            breaker = self._breaker(policy.breaker) if policy.breaker else None
        if _other(bulkhead, policy.bulkhead):
            bulkhead = Bulkhead(policy.bulkhead, around.clock, self._tell) if policy.bulkhead else None
        return _Parts(budget, hedge, breaker, bulkhead)

    def _breaker(self, config: CircuitBreakerConfig) -> CircuitBreaker:
        def tell(event: BreakerEvent) -> None:
            # Calls that began before it was switched off still move it; its state is nobody's any more.
            if isinstance(event, BreakerRejected) or self._now.parts.breaker is made:
                self._tell(event)

        made = CircuitBreaker(config, self._surroundings.clock, tell, self._surroundings.random)
        return made

    def _limited(self, policy: EdgePolicy) -> Try:
        if policy.attempt_timeout is None:
            return unlimited
        return Timeouts(self.edge, policy.attempt_timeout, self._surroundings.clock).run

    def _told(self, perform: Try) -> Try:
        async def told(call: Call, number: int) -> Any:
            try:
                result = await perform(call, number)
            except CallRejectedError:
                raise  # nothing was sent: no attempt
            except BaseException as error:
                self._tell(AttemptEnded(call.operation, number, error))
                raise
            self._tell(AttemptEnded(call.operation, number, None))
            return result

        return told


_UNANSWERED = {*RETRYABLE, Outcome.REJECTED}


def _other(part: RetryBudget | Hedge | CircuitBreaker | Bulkhead | None, config: object) -> bool:
    return (part.config if part else None) != config


def _hedged(hedge: Hedge, perform: Try) -> Try:
    def hedged(call: Call, number: int) -> Awaitable[Any]:
        return hedge.run(call, perform) if number == 1 else perform(call, number)

    return hedged


def _retried(retry: Retry, perform: Try) -> Try:
    def retried(call: Call, _: int) -> Awaitable[Any]:
        return retry.run(call, perform)

    return retried


__all__ = ["Attempt", "EdgePolicy", "Pipeline"]

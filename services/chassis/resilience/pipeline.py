"""One edge's policies, composed in their documented order around each attempt.

The order, outermost first: deadline → retry (budget) → attempt timeout. A policy that is not in force is not there: it
costs nothing.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from services.chassis.edge import Edge
from services.chassis.errors import DeadlineSpentError
from services.chassis.resilience import deadline
from services.chassis.resilience.attempt import Attempt, Call, Try
from services.chassis.resilience.clock import Surroundings
from services.chassis.resilience.events import AttemptEnded, Listener
from services.chassis.resilience.policy import EdgePolicy, PolicyName
from services.chassis.resilience.retry import Classify, Retry
from services.chassis.resilience.retry_budget import RetryBudget
from services.chassis.resilience.timeouts import Timeouts, unlimited

T = TypeVar("T")


@dataclass(frozen=True)
class _InForce:
    """A policy composed; never changed, so that each call keeps the one it began with."""

    policy: EdgePolicy
    budget: RetryBudget | None
    perform: Try


class Pipeline:
    """The policies of one edge. Shared by all its calls; holds no state of a single one.

    Calls are made in one thread; `switch` may be called from any other, one at a time.
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
        self._now = self._composed(policy, None)

    @property
    def policy(self) -> EdgePolicy:
        """What is in force."""
        return self._now.policy

    def state(self) -> Mapping[PolicyName, Mapping[str, Any]]:
        """The live state of those policies that are in force and have one."""
        now = self._now
        return {"budget": {"balance": round(now.budget.balance(), 3)}} if now.budget else {}

    def switch(self, policy: EdgePolicy) -> None:
        """Puts `policy` in force for calls that begin from now on. What stays as it was keeps its state."""
        self._now = self._composed(policy, self._now)

    async def run(self, operation: str, attempt: Callable[[Attempt], Awaitable[T]], *, idempotent: bool = False) -> T:
        """Performs `attempt` under the policies; raises what it raises, or a `CallError` of ours."""
        now = self._now
        if now.policy.attempt_timeout is not None and deadline.current().spent():
            raise DeadlineSpentError(self.edge, operation, "the deadline was spent before the call began")
        if now.budget:
            now.budget.deposit()
        return cast("T", await now.perform(Call(operation, attempt, idempotent), 1))

    def _composed(self, policy: EdgePolicy, before: _InForce | None) -> _InForce:
        budget = self._budget(policy, before)
        perform = self._told(self._limited(policy))
        if policy.retry:
            perform = self._retried(
                Retry(policy.retry, budget, self._surroundings, self._classify, self._tell), perform
            )
        return _InForce(policy, budget, perform)

    def _budget(self, policy: EdgePolicy, before: _InForce | None) -> RetryBudget | None:
        if policy.budget is None:
            return None
        if before and before.budget and before.budget.config == policy.budget:
            return before.budget
        return RetryBudget(policy.budget, self._surroundings.clock)

    def _limited(self, policy: EdgePolicy) -> Try:
        if policy.attempt_timeout is None:
            return unlimited
        return Timeouts(self.edge, policy.attempt_timeout, self._surroundings.clock).run

    def _told(self, perform: Try) -> Try:
        async def told(call: Call, number: int) -> Any:
            try:
                result = await perform(call, number)
            except BaseException as error:
                self._tell(AttemptEnded(call.operation, number, error))
                raise
            self._tell(AttemptEnded(call.operation, number, None))
            return result

        return told

    @staticmethod
    def _retried(retry: Retry, perform: Try) -> Try:
        async def retried(call: Call, number: int) -> Any:
            return await retry.run(call, perform, number)

        return retried


__all__ = ["Attempt", "EdgePolicy", "Pipeline"]

"""The circuit breaker and the bulkhead around each attempt: who may not pass is told as an error of the edge."""

import asyncio
from typing import Any, Final

from services.chassis.edge import Edge
from services.chassis.errors import BulkheadFullError, CircuitOpenError, DeadlineExceededError, FaultlineError
from services.chassis.resilience.attempt import Call, Try
from services.chassis.resilience.bulkhead import Bulkhead, BulkheadFull
from services.chassis.resilience.circuit_breaker import CallNotPermitted, CircuitBreaker, Permit, Result
from services.chassis.resilience.clock import Clock
from services.chassis.resilience.outcome import Classify, Outcome

_FAIR: Final = 0.5  # of what counts as slow: with less time a call was cut off by its caller's haste
_CUT_OFF: Final = (DeadlineExceededError, asyncio.CancelledError)


class BreakerGuard:
    """Lets `attempt` pass as the breaker allows, and records what became of it."""

    def __init__(self, edge: Edge, breaker: CircuitBreaker, clock: Clock, classify: Classify, attempt: Try) -> None:
        self._edge, self._breaker, self._clock = edge, breaker, clock
        self._classify, self._attempt = classify, attempt

    async def __call__(self, call: Call, number: int) -> Any:
        permit, began = self._permit(call), self._clock()
        try:
            answer = await self._attempt(call, number)
        except BaseException as error:
            took = self._clock() - began
            permit.record(self._said(error, took), took)
            raise
        permit.record("success", self._clock() - began)
        return answer

    def _permit(self, call: Call) -> Permit:
        try:
            return self._breaker.acquire()
        except CallNotPermitted as exc:
            state = exc.state.replace("_", " ")
            raise CircuitOpenError(self._edge, call.operation, state, retry_after=exc.retry_after) from exc

    def _said(self, error: BaseException, took_s: float) -> Result:
        # What the peer has retried is a failure behind it, and has a breaker of its own there: opening here too would
        # cut off what the peer can do without whoever failed.
        if isinstance(error, FaultlineError) and error.retried:
            return "ignored"
        # A customer may ask for an answer in no time at all: what is not there by then says nothing, and must not close the
        # way to the peer for everybody else.
        if isinstance(error, _CUT_OFF) and took_s < _FAIR * self._breaker.config.slow_call_duration_s:
            return "ignored"
        return _RESULTS.get(self._classify(error), "ignored")


_RESULTS: dict[Outcome, Result] = {Outcome.SUCCESS: "success", Outcome.FAILURE: "failure"}


class BulkheadGuard:
    """Lets `attempt` pass when there is room for it."""

    def __init__(self, edge: Edge, bulkhead: Bulkhead, attempt: Try) -> None:
        self._edge, self._bulkhead, self._attempt = edge, bulkhead, attempt

    async def __call__(self, call: Call, number: int) -> Any:
        if not self._bulkhead.try_acquire():
            await self._acquire(call)
        try:
            return await self._attempt(call, number)
        finally:
            self._bulkhead.release()

    async def _acquire(self, call: Call) -> None:
        try:
            await self._bulkhead.acquire()
        except BulkheadFull as exc:
            raise BulkheadFullError(self._edge, call.operation, str(exc)) from exc

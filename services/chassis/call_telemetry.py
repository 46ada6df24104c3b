"""Tells telemetry of what one edge's policies do: span events in the call's trace, and metrics.

Policies are pure and tell typed events; here is what each of them means to traces and metrics.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial

from opentelemetry import trace
from opentelemetry.util.types import AttributeValue

from observability import semconv
from observability.semconv import Metric
from observability.telemetry import Telemetry
from services.chassis.resilience.bulkhead import BulkheadLoad
from services.chassis.resilience.events import (
    AttemptEnded,
    BreakerRejected,
    BreakerState,
    BreakerTransition,
    BudgetAsked,
    BulkheadQueued,
    BulkheadRejected,
    Event,
    FellBack,
    HedgeEnded,
    HedgeResult,
    HedgeSent,
    RetryScheduled,
    RetryStopped,
    Stopped,
)
from services.chassis.resilience.outcome import Outcome

log = logging.getLogger(__name__)

GRANTED, REFUSED = semconv.BUDGET_RESULTS
SERVED, MISSING = semconv.FALLBACK_RESULTS

_OF_CALLEE = (
    semconv.RETRY_BUDGET_BALANCE,
    semconv.BREAKER_REJECTIONS,
    semconv.BULKHEAD_IN_FLIGHT,
    semconv.BULKHEAD_QUEUED,
    semconv.BULKHEAD_REJECTIONS,
)
_BY_VALUE: Mapping[Metric, Sequence[str]] = {
    semconv.RETRIES_STOPPED: tuple(Stopped),
    semconv.RETRY_BUDGET_WITHDRAWALS: semconv.BUDGET_RESULTS,
    semconv.BREAKER_TRANSITIONS: tuple(BreakerState),
    semconv.HEDGES: tuple(HedgeResult),
}


class CallTelemetry:
    """A Listener. Metrics that have no operation among their labels exist at zero from the start."""

    def __init__(self, callee: str, telemetry: Telemetry, classify: Callable[[BaseException], Outcome]) -> None:
        self._callee, self._metrics, self._classify = callee, telemetry.metrics, classify
        self._attempts = cache(partial(self._metrics.counter, semconv.CALL_ATTEMPTS, callee))
        for metric in _OF_CALLEE:
            self._metrics.zero(metric, callee)
        for metric, values in _BY_VALUE.items():
            for value in values:
                self._metrics.zero(metric, callee, value)

    def declare(self, operations: Sequence[str]) -> None:
        """Makes the metrics of `operations` exist at zero, so that a first failure shows as an increase."""
        for operation in operations:
            for outcome in Outcome:
                for metric in (semconv.CALL_ATTEMPTS, semconv.CALL_DURATION, semconv.RETRIES):
                    self._metrics.zero(metric, self._callee, operation, outcome)
            for result in semconv.FALLBACK_RESULTS:
                self._metrics.zero(semconv.FALLBACKS, self._callee, operation, result)

    def follow(self, load: Callable[[], BulkheadLoad], state: Callable[[], BreakerState]) -> None:
        """Lets the gauges of bulkhead and breaker be what `load` and `state` say when they are looked at.

        In whichever thread that is: whoever set them on a move could be overtaken by the next one, in another thread.
        """
        self._metrics.follow(semconv.BULKHEAD_IN_FLIGHT, lambda: load().in_flight, self._callee)
        self._metrics.follow(semconv.BULKHEAD_QUEUED, lambda: load().queued, self._callee)

        for each in BreakerState:
            self._metrics.follow(semconv.BREAKER_STATES, partial(_is_in, state, each), self._callee, each)

    def __call__(self, event: Event) -> None:
        match event:
            case AttemptEnded():
                self._attempt_ended(event)
            case RetryScheduled() | RetryStopped() | BudgetAsked():
                self._retry(event)
            case HedgeSent() | HedgeEnded():
                self._hedge(event)
            case BreakerTransition() | BreakerRejected():
                self._breaker(event)
            case BulkheadQueued() | BulkheadRejected():
                self._bulkhead(event)
            case FellBack():
                result = SERVED if event.served else MISSING
                _mark(semconv.EVENT_FALLBACK, {semconv.FALLBACK_RESULT: result})
                self._metrics.add(semconv.FALLBACKS, self._callee, event.operation, result)

    def _attempt_ended(self, event: AttemptEnded) -> None:
        outcome = self._classify(event.error) if event.error else Outcome.SUCCESS
        self._attempts(event.operation, outcome)()
        if event.number > 1:
            self._metrics.add(semconv.RETRIES, self._callee, event.operation, outcome)

    def _retry(self, event: RetryScheduled | RetryStopped | BudgetAsked) -> None:
        match event:
            case RetryScheduled():
                _mark(semconv.EVENT_RETRY, {semconv.ATTEMPT: event.number, semconv.DELAY_MS: event.delay_s * 1000})
            case RetryStopped():
                _mark(
                    semconv.EVENT_RETRY_STOPPED,
                    {semconv.ATTEMPT: event.number, semconv.RETRY_STOPPED_BY: event.reason},
                )
                self._metrics.add(semconv.RETRIES_STOPPED, self._callee, event.reason)
            case BudgetAsked():
                result = GRANTED if event.granted else REFUSED
                if not event.granted:
                    _mark(semconv.EVENT_BUDGET_EXHAUSTED, {})
                self._metrics.add(semconv.RETRY_BUDGET_WITHDRAWALS, self._callee, result)
                self._metrics.set(semconv.RETRY_BUDGET_BALANCE, event.balance, self._callee)

    def _hedge(self, event: HedgeSent | HedgeEnded) -> None:
        if isinstance(event, HedgeSent):
            _mark(semconv.EVENT_HEDGE, {semconv.DELAY_MS: event.delay_s * 1000})
            return
        _mark(semconv.EVENT_HEDGE_ENDED, {semconv.HEDGE_RESULT: event.result})
        self._metrics.add(semconv.HEDGES, self._callee, event.result)

    def _breaker(self, event: BreakerTransition | BreakerRejected) -> None:
        if isinstance(event, BreakerRejected):
            _mark(semconv.EVENT_BREAKER_REJECTED, {semconv.BREAKER_STATE: event.state})
            self._metrics.add(semconv.BREAKER_REJECTIONS, self._callee)
            return
        _mark(semconv.EVENT_BREAKER, {semconv.BREAKER_OLD_STATE: event.old, semconv.BREAKER_STATE: event.new})
        self._metrics.add(semconv.BREAKER_TRANSITIONS, self._callee, event.new)
        log.info("circuit breaker moved", extra={"callee": self._callee, "old": event.old, "new": event.new})

    def _bulkhead(self, event: BulkheadQueued | BulkheadRejected) -> None:
        attributes = {semconv.DELAY_MS: event.waited_s * 1000}
        if isinstance(event, BulkheadQueued):
            _mark(semconv.EVENT_BULKHEAD_QUEUED, attributes)
            return
        _mark(semconv.EVENT_BULKHEAD_REJECTED, attributes)
        self._metrics.add(semconv.BULKHEAD_REJECTIONS, self._callee)


def _is_in(state: Callable[[], BreakerState], one: BreakerState) -> int:
    return int(state() is one)


def _mark(name: str, attributes: Mapping[str, AttributeValue]) -> None:
    trace.get_current_span().add_event(name, attributes)

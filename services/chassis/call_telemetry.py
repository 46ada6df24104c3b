"""Tells telemetry of what one edge's policies do: span events in the call's trace, and metrics.

Policies are pure and tell typed events; here is what each of them means to traces and metrics.
"""

from collections.abc import Callable, Sequence

from opentelemetry import trace
from opentelemetry.util.types import AttributeValue

from observability import semconv
from observability.telemetry import Telemetry
from services.chassis.resilience.events import (
    AttemptEnded,
    BudgetAsked,
    Event,
    RetryScheduled,
    RetryStopped,
    Stopped,
)
from services.chassis.resilience.outcome import Outcome

GRANTED, REFUSED = semconv.BUDGET_RESULTS


class CallTelemetry:
    """A Listener. Metrics that have no operation among their labels exist at zero from the start."""

    def __init__(self, callee: str, telemetry: Telemetry, classify: Callable[[BaseException], Outcome]) -> None:
        self._callee, self._metrics, self._classify = callee, telemetry.metrics, classify
        for result in semconv.BUDGET_RESULTS:
            self._metrics.zero(semconv.RETRY_BUDGET_WITHDRAWALS, callee, result)
        self._metrics.zero(semconv.RETRY_BUDGET_BALANCE, callee)
        for reason in Stopped:
            self._metrics.zero(semconv.RETRIES_STOPPED, callee, reason)

    def declare(self, operations: Sequence[str]) -> None:
        """Makes the metrics of `operations` exist at zero, so that a first failure shows as an increase."""
        for operation in operations:
            for outcome in Outcome:
                for metric in (semconv.CALL_ATTEMPTS, semconv.CALL_DURATION, semconv.RETRIES):
                    self._metrics.zero(metric, self._callee, operation, outcome)

    def __call__(self, event: Event) -> None:
        match event:
            case AttemptEnded():
                self._attempt_ended(event)
            case RetryScheduled():
                _mark(semconv.EVENT_RETRY, {semconv.ATTEMPT: event.number, semconv.DELAY_MS: event.delay_s * 1000})
            case RetryStopped():
                _mark(
                    semconv.EVENT_RETRY_STOPPED, {semconv.ATTEMPT: event.number, semconv.RETRY_STOPPED_BY: event.reason}
                )
                self._metrics.add(semconv.RETRIES_STOPPED, self._callee, event.reason)
            case BudgetAsked():
                self._budget_asked(event)

    def _attempt_ended(self, event: AttemptEnded) -> None:
        outcome = self._classify(event.error) if event.error else Outcome.SUCCESS
        self._metrics.add(semconv.CALL_ATTEMPTS, self._callee, event.operation, outcome)
        if event.number > 1:
            self._metrics.add(semconv.RETRIES, self._callee, event.operation, outcome)

    def _budget_asked(self, event: BudgetAsked) -> None:
        if not event.granted:
            _mark(semconv.EVENT_BUDGET_EXHAUSTED, {})
        self._metrics.add(semconv.RETRY_BUDGET_WITHDRAWALS, self._callee, GRANTED if event.granted else REFUSED)
        self._metrics.set(semconv.RETRY_BUDGET_BALANCE, event.balance, self._callee)


def _mark(name: str, attributes: dict[str, AttributeValue]) -> None:
    trace.get_current_span().add_event(name, attributes)

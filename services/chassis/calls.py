"""The call seam: the one way out of a service.

Every outbound call, whatever its protocol, is a logical call with one or more attempts. The seam
runs it through its edge's pipeline and tells what happened: a span for the logical call (each
attempt's own client span, made by the protocol's client, is its child), and metrics by outcome.
Clients know nothing of policies, policies nothing of clients or telemetry.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from typing import TypeVar

from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from observability import semconv
from observability.telemetry import Telemetry
from services.chassis.edge import Edge
from services.chassis.errors import AttemptTimeoutError, CallError, Catalogue, DeadlineExceededError, DeadlineSpentError
from services.chassis.resilience import outcome
from services.chassis.resilience.events import Event
from services.chassis.resilience.outcome import Outcome
from services.chassis.resilience.pipeline import Attempt, EdgePolicy, Pipeline

T = TypeVar("T")


class CallSeam:
    """All calls over one edge. One object per edge, made in the service's composition root."""

    def __init__(self, edge: Edge, policy: EdgePolicy, telemetry: Telemetry, catalogue: Catalogue) -> None:
        self.edge = edge
        self.catalogue = catalogue
        self._pipeline = Pipeline(edge, policy, self._heard)
        self._telemetry = telemetry

    @property
    def policy(self) -> EdgePolicy:
        return self._pipeline.policy

    def declare(self, *operations: str) -> None:
        """Makes the counters of `operations` exist at zero, so that a first failure shows as an increase."""
        for operation in operations:
            for each in Outcome:
                for metric in (semconv.CALL_ATTEMPTS, semconv.CALL_DURATION):
                    self._telemetry.metrics.zero(metric, self.edge.callee, operation, each)

    async def call(self, operation: str, attempt: Callable[[Attempt], Awaitable[T]], *, idempotent: bool) -> T:
        """Performs one logical call.

        `attempt` is run once per attempt and must be safe to run again if `idempotent`.
        Raises what the attempt raised last, or a `CallError` when a policy ended the call.
        """
        started = time.perf_counter()
        with self._span(operation, idempotent) as span:
            try:
                result = await self._pipeline.run(operation, attempt)
            except BaseException as error:
                self._ended(span, operation, started, outcome.of_error(error, self.catalogue), error)
                raise
            self._ended(span, operation, started, Outcome.SUCCESS, None)
            return result

    def _span(self, operation: str, idempotent: bool) -> AbstractContextManager[Span]:
        return self._telemetry.tracer.start_as_current_span(
            f"{self.edge.callee} {operation}",
            kind=SpanKind.INTERNAL,
            attributes={
                semconv.CALLEE: self.edge.callee,
                semconv.OPERATION: operation,
                semconv.IDEMPOTENT: idempotent,
            },
            record_exception=False,
            set_status_on_exception=False,
        )

    def _heard(self, event: Event) -> None:
        result = outcome.of_error(event.error, self.catalogue) if event.error else Outcome.SUCCESS
        self._telemetry.metrics.add(semconv.CALL_ATTEMPTS, self.edge.callee, event.operation, result)

    def _ended(self, span: Span, operation: str, started: float, result: Outcome, error: BaseException | None) -> None:
        span.set_attribute(semconv.OUTCOME, result)
        if result is not Outcome.CANCELLED and (event := _EVENTS.get(type(error))):
            span.add_event(event)
        if error and result is Outcome.FAILURE:
            span.set_status(Status(StatusCode.ERROR, str(error)))
            # A cancellation that is the peer's failure is the deadline's: see the outcome table.
            spent = DeadlineExceededError if isinstance(error, asyncio.CancelledError) else None
            span.set_attribute(semconv.ERROR_TYPE, error_type(type(error), spent))
        seconds = time.perf_counter() - started
        self._telemetry.metrics.observe(semconv.CALL_DURATION, seconds, self.edge.callee, operation, result)


def error_type(error: type[BaseException], spent: type[CallError] | None) -> str:
    """`error.type` of every span and metric of a call: the limit that was `spent`, if any, else the error's own name."""
    return (spent or error).__name__


_EVENTS: dict[type, str] = {
    AttemptTimeoutError: semconv.EVENT_ATTEMPT_TIMEOUT,
    DeadlineExceededError: semconv.EVENT_DEADLINE_EXCEEDED,
    DeadlineSpentError: semconv.EVENT_DEADLINE_REFUSED,
    asyncio.CancelledError: semconv.EVENT_DEADLINE_EXCEEDED,  # where it was that which cancelled
}

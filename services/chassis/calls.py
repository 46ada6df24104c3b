"""The call seam: the one way out of a service.

Every outbound call, whatever its protocol, is a logical call with one or more attempts. The seam
runs it through its edge's pipeline and tells what happened: a span for the logical call (each
attempt's own client span, made by the protocol's client, is its child), and metrics by outcome.
Clients know nothing of policies, policies nothing of clients or telemetry.
"""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, TypeVar

from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from observability import semconv
from observability.telemetry import Telemetry
from services.chassis.call_telemetry import CallTelemetry
from services.chassis.edge import Edge
from services.chassis.errors import AttemptTimeoutError, CallError, Catalogue, DeadlineExceededError, DeadlineSpentError
from services.chassis.resilience import outcome
from services.chassis.resilience.attempt import Attempt
from services.chassis.resilience.circuit_breaker import BreakerSnapshot
from services.chassis.resilience.clock import Surroundings
from services.chassis.resilience.fallback import Degraded, Fallback
from services.chassis.resilience.outcome import Outcome
from services.chassis.resilience.pipeline import Pipeline
from services.chassis.resilience.policy import PRESETS, EdgePolicy, PolicyName, Preset, preset_of

T = TypeVar("T")
F = TypeVar("F")
R = TypeVar("R")


class CallSeam:
    """All calls over one edge. One object per edge, made in the service's composition root.

    `policy` is what the edge declares, `preset` what of it is in force at the start.
    """

    def __init__(
        self,
        edge: Edge,
        policy: EdgePolicy,
        telemetry: Telemetry,
        catalogue: Catalogue,
        preset: Preset = "full",
        surroundings: Surroundings | None = None,
    ) -> None:
        self.edge, self.declared = edge, policy
        self.catalogue = catalogue
        self._telemetry = telemetry
        classify = partial(outcome.of_error, catalogue=catalogue)
        self._heard = CallTelemetry(edge.callee, telemetry, classify)
        self._pipeline = Pipeline(edge, policy.only(PRESETS[preset]), self._heard, classify, surroundings)
        self._heard.follow(self._pipeline.bulkhead_load, self._pipeline.breaker_state)
        self._preset: Preset | None = preset
        self._switching = threading.Lock()

    @property
    def policy(self) -> EdgePolicy:
        """What is in force."""
        return self._pipeline.policy

    @property
    def preset(self) -> Preset | None:
        """The preset that is in force; None where policies were switched one by one into what no preset is."""
        return self._preset

    def use(self, preset: Preset) -> None:
        """Puts a preset in force for the calls that begin from now on. From any thread."""
        with self._switching:
            self._pipeline.switch(self.declared.only(PRESETS[preset]))
            self._preset = preset

    def turn(self, switches: Mapping[PolicyName, bool]) -> None:
        """Turns single policies, which the edge must have declared, on or off. From any thread."""
        with self._switching:
            on, off = ({name for name, wanted in switches.items() if wanted is each} for each in (True, False))
            self._pipeline.switch(self.declared.only((self.policy.names | on) - off))
            self._preset = preset_of(self.policy.names, self.declared.names)

    def state(self) -> Mapping[PolicyName, Mapping[str, Any]]:
        """The live state of those policies that are in force and have one. From any thread."""
        return self._pipeline.state()

    def breaker(self) -> BreakerSnapshot | None:
        """How the circuit breaker in force stands; None where there is none. From any thread."""
        return self._pipeline.breaker()

    def declare(self, *operations: str) -> None:
        """Makes the metrics of `operations` exist at zero, so that a first failure shows as an increase."""
        self._heard.declare(operations)

    async def call(self, operation: str, attempt: Callable[[Attempt], Awaitable[T]], *, idempotent: bool) -> T:
        """Performs one logical call.

        `attempt` is run once per attempt and must be safe to run again if `idempotent`.
        Raises what the attempt raised last, or a `CallError` when a policy ended the call.
        """
        return await self._observed(
            operation, idempotent, self._pipeline.run(operation, attempt, idempotent=idempotent)
        )

    async def call_or(
        self,
        operation: str,
        attempt: Callable[[Attempt], Awaitable[T]],
        fallback: Fallback[F],
        *,
        idempotent: bool,
    ) -> T | Degraded[F]:
        """As `call`, but where there is no answer, what `fallback` gives instead, if anything, and if it is in force."""
        return await self._observed(
            operation, idempotent, self._pipeline.run_or(operation, attempt, fallback, idempotent=idempotent)
        )

    async def _observed(self, operation: str, idempotent: bool, call: Awaitable[R]) -> R:
        started = time.perf_counter()
        with self._span(operation, idempotent) as span:
            try:
                result = await call
            except BaseException as error:
                self._ended(span, operation, started, outcome.of_error(error, self.catalogue), error)
                raise
            ended = Outcome.DEGRADED if isinstance(result, Degraded) else Outcome.SUCCESS
            self._ended(span, operation, started, ended, None)
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

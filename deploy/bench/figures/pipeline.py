"""What the policies cost a call that goes well: ours, all of them with their metrics, against what others ask for less.

Hedging is not among them, on either side: an operation is hedged or retried. Spans are not, as nobody else makes any.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import pyresilience
import tenacity
from opentelemetry.sdk.trace import TracerProvider
from prometheus_client import CollectorRegistry

from deploy.bench.figure import Benchmark, Measured, Say
from deploy.bench.paired import Measure, Pairs, measure_pairs
from deploy.bench.per_call import Call, answer_at_once, over_bare_await
from observability.metrics import Instruments
from observability.telemetry import Telemetry
from services.chassis.call_telemetry import CallTelemetry
from services.chassis.edge import Edge
from services.chassis.resilience import outcome
from services.chassis.resilience.defaults import guarded
from services.chassis.resilience.fallback import FallbackConfig
from services.chassis.resilience.outcome import Outcome
from services.chassis.resilience.pipeline import Pipeline
from services.contracts.errors import CATALOGUE

_PAIRS: Final = 15
_TIMEOUT_S: Final = 1.0
_DEADLINE_S: Final = 600.0
_EDGE: Final = Edge("orders", "payments", "grpc")
_OPERATION: Final = "Authorize"


def ours() -> Call:
    """Fallback, deadline, retry with its budget, circuit breaker, bulkhead, attempt timeout; and metrics."""

    def classify(error: BaseException) -> Outcome:
        return outcome.of_error(error, CATALOGUE)

    telemetry = Telemetry(TracerProvider(), Instruments(CollectorRegistry()), lambda: None)
    listener = CallTelemetry(_EDGE.callee, telemetry, classify)
    listener.declare([_OPERATION])
    pipeline = Pipeline(_EDGE, replace(guarded(_TIMEOUT_S), fallback=FallbackConfig()), listener, classify)
    listener.follow(pipeline.bulkhead_load, pipeline.breaker_state)
    return lambda: pipeline.run_or(_OPERATION, answer_at_once, _nothing_instead, idempotent=True)


def timeout_alone() -> Call:
    """What the standard library has."""

    async def call() -> None:
        async with asyncio.timeout(_TIMEOUT_S):
            await answer_at_once()

    return call


def pyresilience_pipeline() -> Call:
    """The same policies in its terms, configured alike; it tells nobody."""
    return pyresilience.resilient(
        fallback=pyresilience.FallbackConfig(handler=_nothing_instead),
        retry=pyresilience.RetryConfig(max_attempts=3, delay=0.025, max_delay=0.25),
        retry_budget=pyresilience.RetryBudgetConfig(),
        circuit_breaker=pyresilience.CircuitBreakerConfig(
            sliding_window_size=100,
            minimum_calls=10,
            failure_rate_threshold=0.5,
            slow_call_duration=_TIMEOUT_S / 2,
            slow_call_rate_threshold=0.8,
        ),
        bulkhead=pyresilience.BulkheadConfig(max_concurrent=100, max_wait=0.25),
        timeout=pyresilience.TimeoutConfig(seconds=_TIMEOUT_S),
    )(answer_at_once)


def tenacity_retry() -> Call:
    """Retries alone."""
    return tenacity.retry(
        stop=tenacity.stop_after_attempt(3), wait=tenacity.wait_random_exponential(multiplier=0.025, max=0.25)
    )(answer_at_once)


def _nothing_instead(_: object) -> None:
    """A fallback that is never asked."""


def _against(name: str, about: str, goal: float, theirs: Call) -> Benchmark:
    def measure(say: Say) -> Measured:
        pairs = _pairs(over_bare_await(theirs), say)
        return Measured(pairs.ratios.median, _detail(pairs))

    return Benchmark(
        f"pipeline/{name}", f"the full pipeline, its metrics included, against {about}", "x", goal, "lower", measure
    )


def _pairs(theirs: Measure, say: Say) -> Pairs:
    mine = over_bare_await(ours(), deadline_s=_DEADLINE_S)

    def tell(number: int) -> None:
        if number % 5 == 0:
            say(f"pair {number} of {_PAIRS}")

    return measure_pairs(mine, theirs, _PAIRS, tell)


def _detail(pairs: Pairs) -> str:
    return (
        f"ratio {pairs.ratios}; processor time of a call that goes well, over a bare await: ours {pairs.ours} us, theirs"
        f" {pairs.theirs} us; medians (least to largest) of {_PAIRS} alternating pairs"
    )


BENCHMARKS: Final[Sequence[Benchmark]] = (
    _against("timeout", "asyncio.timeout alone", 2.5, timeout_alone()),
    _against("pyresilience", "pyresilience's pipeline", 0.5, pyresilience_pipeline()),
    _against("tenacity", "tenacity's retry alone", 0.5, tenacity_retry()),
)

"""Configurations that suit a call within one machine or data centre; an edge that needs others says which."""

from services.chassis.resilience.bulkhead import BulkheadConfig
from services.chassis.resilience.circuit_breaker import CircuitBreakerConfig
from services.chassis.resilience.policy import EdgePolicy
from services.chassis.resilience.retry import RetryConfig
from services.chassis.resilience.retry_budget import RetryBudgetConfig


def guarded(attempt_timeout: float) -> EdgePolicy:
    """Everything that suits any peer: attempts end after so many seconds.

    They are slow only when they hardly ended in time: on a busy machine everything is slower than it should be, and refusing
    what would still have been done makes nothing better.
    """
    return EdgePolicy(
        attempt_timeout=attempt_timeout,
        retry=RetryConfig(max_attempts=3, base_delay_s=0.025, max_delay_s=0.25),
        budget=RetryBudgetConfig(ratio=0.2, floor_per_s=0.2, window_s=10.0),
        breaker=CircuitBreakerConfig(
            # In calls, as what went well in the seconds before would hide an outage for as many seconds. More than half, as
            # of a peer's two replicas one that is away must not close the way to the other.
            window="count",
            window_size=20,
            minimum_calls=10,
            failure_rate_threshold=60.0,
            slow_call_rate_threshold=90.0,
            slow_call_duration_s=attempt_timeout * 0.9,
            half_open_permitted_calls=5,
            half_open_max_wait_s=5.0,
            open_wait_s=1.0,
            open_wait_multiplier=2.0,
            open_wait_max_s=5.0,
            open_wait_jitter=0.2,
        ),
        bulkhead=BulkheadConfig(max_concurrent=100, max_queue=100, max_wait_s=0.25),
    )

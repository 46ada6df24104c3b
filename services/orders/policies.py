"""What may stand between orders and its peers: one row per edge, in seconds. Which of it is in force is switched at run time."""

from collections.abc import Mapping
from types import MappingProxyType

from services.chassis.resilience.policy import EdgePolicy
from services.chassis.resilience.retry import RetryConfig
from services.chassis.resilience.retry_budget import RetryBudgetConfig

POLICIES: Mapping[str, EdgePolicy] = MappingProxyType(
    {
        "orders-db": EdgePolicy(attempt_timeout=2.0, retry=RetryConfig(), budget=RetryBudgetConfig()),
        "inventory": EdgePolicy(attempt_timeout=1.0, retry=RetryConfig(), budget=RetryBudgetConfig()),
        "payments": EdgePolicy(attempt_timeout=1.0, retry=RetryConfig(), budget=RetryBudgetConfig()),
    }
)
"""Callee → the policies of the edge to it."""

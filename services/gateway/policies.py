"""What may stand between the gateway and its peers: one row per edge. Which of it is in force is switched at run time."""

from collections.abc import Mapping

from services.chassis.resilience.policy import EdgePolicy
from services.chassis.resilience.retry import RetryConfig
from services.chassis.resilience.retry_budget import RetryBudgetConfig


def policies(request_timeout: float) -> Mapping[str, EdgePolicy]:
    """Callee → the policies of the edge to it. All of a request's time, in seconds, may be spent on a checkout."""
    return {
        "orders": EdgePolicy(attempt_timeout=request_timeout, retry=RetryConfig(), budget=RetryBudgetConfig()),
        "inventory": EdgePolicy(attempt_timeout=1.0, retry=RetryConfig(), budget=RetryBudgetConfig()),
    }

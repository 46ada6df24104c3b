"""What may stand between a caller and a peer, declared per edge, and which of it is in force.

An edge declares each policy that makes sense for it, once; a preset, or a switch for a single policy, says which of them
are in force.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final, Literal, get_args

from services.chassis.resilience.bulkhead import BulkheadConfig
from services.chassis.resilience.circuit_breaker import CircuitBreakerConfig
from services.chassis.resilience.fallback import FallbackConfig
from services.chassis.resilience.hedge import HedgeConfig
from services.chassis.resilience.retry import RetryConfig
from services.chassis.resilience.retry_budget import RetryBudgetConfig

PolicyName = Literal["timeouts", "bulkhead", "breaker", "retry", "budget", "hedge", "fallback"]
POLICIES: Final[tuple[PolicyName, ...]] = get_args(PolicyName)

Preset = Literal["off", "timeouts", "retries", "budgeted", "breaker", "full"]

PRESETS: Final[Mapping[Preset, frozenset[PolicyName]]] = MappingProxyType(
    {
        "off": frozenset(),
        "timeouts": frozenset({"timeouts"}),
        "retries": frozenset({"timeouts", "retry"}),
        "budgeted": frozenset({"timeouts", "retry", "budget"}),
        "breaker": frozenset({"timeouts", "breaker"}),
        "full": frozenset(POLICIES),
    }
)
"""Preset → the policies that it puts in force, where the edge declares them."""


@dataclass(frozen=True)
class EdgePolicy:
    """The policies of one edge; None where it has not that one.

    `attempt_timeout`, in seconds, above zero, stands for both limits in time: calls then also end at the deadline of the
    work they are part of, are refused when that has passed, and send it on. Without it nothing limits a call.
    """

    attempt_timeout: float | None = None
    retry: RetryConfig | None = None
    budget: RetryBudgetConfig | None = None
    breaker: CircuitBreakerConfig | None = None
    bulkhead: BulkheadConfig | None = None
    hedge: HedgeConfig | None = None
    fallback: FallbackConfig | None = None

    def __post_init__(self) -> None:
        if self.attempt_timeout is not None and not self.attempt_timeout > 0:
            raise ValueError(f"attempt_timeout must be above 0 s, not {self.attempt_timeout}")

    @property
    def names(self) -> frozenset[PolicyName]:
        """The policies that it has."""
        return frozenset(name for name in POLICIES if self.config(name) is not None)

    def config(self, name: PolicyName) -> Any:
        """What it says of one of its policies; None where it has not that one."""
        return getattr(self, _FIELDS[name])

    def only(self, names: frozenset[PolicyName]) -> "EdgePolicy":
        """Those of its policies that are among `names`."""
        return replace(self, **{_FIELDS[name]: None for name in self.names - names})


_FIELDS: Final[Mapping[PolicyName, str]] = MappingProxyType(
    {name: "attempt_timeout" if name == "timeouts" else name for name in POLICIES}
)


def preset_of(names: frozenset[PolicyName], declared: frozenset[PolicyName]) -> Preset | None:
    """The preset that puts just `names` in force where the edge has `declared`; the least of several, None for none."""
    for preset, wanted in PRESETS.items():
        if wanted & declared == names:
            return preset
    return None

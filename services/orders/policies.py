"""What may stand between orders and its peers: one row per edge. Which of it is in force is switched at run time."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from services.chassis.resilience.defaults import guarded
from services.chassis.resilience.fallback import FallbackConfig
from services.chassis.resilience.policy import EdgePolicy

POLICIES: Mapping[str, EdgePolicy] = MappingProxyType(
    {
        "orders-db": guarded(2.0),
        "inventory": guarded(1.0),
        "payments": replace(guarded(1.0), fallback=FallbackConfig()),
    }
)
"""Callee → the policies of the edge to it."""

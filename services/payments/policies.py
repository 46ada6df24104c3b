"""What may stand between payments and its database. Which of it is in force is switched at run time."""

from collections.abc import Mapping
from types import MappingProxyType

from services.chassis.resilience.defaults import guarded
from services.chassis.resilience.policy import EdgePolicy

POLICIES: Mapping[str, EdgePolicy] = MappingProxyType({"payments-db": guarded(2.0)})
"""Callee → the policies of the edge to it."""

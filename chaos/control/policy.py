"""The policies of edges, as a running system shows them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class EdgePolicies:
    """One edge in one replica of its caller. `policies`: name → `in_force`, configuration and live state."""

    instance: str
    edge: str
    kind: str
    preset: str
    policies: Mapping[str, Mapping[str, Any]]

    @property
    def in_force(self) -> list[str]:
        """The names of the policies that are."""
        return [name for name, each in self.policies.items() if each["in_force"]]


@dataclass(frozen=True)
class FoundPolicies:
    """Every edge of every replica that answered, and the replicas that did not."""

    edges: Sequence[EdgePolicies]
    silent: Sequence[str]

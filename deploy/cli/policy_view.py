"""Policies as a table for the terminal."""

from collections.abc import Mapping
from typing import Any

from rich.table import Table

from chaos.control.policy import EdgePolicies, FoundPolicies
from deploy.cli.screen import console, visible


def show_all(found: FoundPolicies) -> None:
    """A row for each edge of each replica, and who did not answer."""
    screen = console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("edge", "in", "preset", "in force", "state"):
        table.add_column(name, no_wrap=name != "in force")
    for each in found.edges:
        table.add_row(each.edge, each.instance, each.preset, ", ".join(each.in_force) or "nothing", _state(each))
    screen.print(table)
    for name in found.silent:
        screen.print(f"{name} does not answer", style="red", soft_wrap=True)


def _state(edge: EdgePolicies) -> str:
    """What is remarkable: `breaker open, again in 3.2 s`, `12 in flight`; empty where all is as usual."""
    told = [_breaker(edge.policies.get("breaker", {})), _bulkhead(edge.policies.get("bulkhead", {}))]
    return visible("; ".join(filter(None, told)))


def _breaker(policy: Mapping[str, Any]) -> str:
    state = policy.get("state", "closed")
    if state == "closed":
        return ""
    wait = policy.get("retry_after")
    return f"breaker {state.replace('_', ' ')}" + (f", again in {wait:.1f} s" if wait else "")


def _bulkhead(policy: Mapping[str, Any]) -> str:
    in_flight, queued = policy.get("in_flight", 0), policy.get("queued", 0)
    return f"{in_flight} in flight" + (f", {queued} queued" if queued else "") if in_flight else ""

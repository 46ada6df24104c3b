"""Policies as a table for the terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from chaos.control.policy import EdgePolicies, FoundPolicies
from deploy.cli.screen import console, visible


def show_all(found: FoundPolicies) -> None:
    """A row for each edge of each replica, which edges' replicas differ, and who did not answer."""
    screen = console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("edge", "in", "preset", "in force", "state"):
        table.add_column(name, no_wrap=name != "in force")
    for each in found.edges:
        table.add_row(each.edge, each.instance, each.preset, ", ".join(each.in_force) or "nothing", _state(each))
    screen.print(table)
    for line in differences(found.edges):
        screen.print(line, style="yellow", soft_wrap=True)
    for name in found.silent:
        screen.print(f"{name} does not answer", style="red", soft_wrap=True)


def differences(edges: Sequence[EdgePolicies]) -> list[str]:
    """A line for each edge that has not the same policies in all replicas of its caller."""
    by_edge: dict[str, list[EdgePolicies]] = {}
    for each in edges:
        by_edge.setdefault(each.edge, []).append(each)
    return [
        f"{edge} differs between replicas: {'; '.join(f'{each.instance} {_named(each)}' for each in replicas)}"
        for edge, replicas in by_edge.items()
        if len({tuple(each.in_force) for each in replicas}) > 1
    ]


def _named(edge: EdgePolicies) -> str:
    return f"{edge.preset} ({', '.join(edge.in_force) or 'nothing'})"


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

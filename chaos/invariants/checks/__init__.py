"""The invariants, grouped by what they are about. Each is a small pure function of the evidence and one subject."""

from typing import Any, Final

from chaos.invariants.checks import goods, money, orders, promises, rows
from chaos.invariants.checks.invariant import Invariant

INVARIANTS: Final[tuple[Invariant[Any], ...]] = (
    *promises.INVARIANTS,
    *orders.INVARIANTS,
    *money.INVARIANTS,
    *goods.INVARIANTS,
    *rows.INVARIANTS,
)
"""All of them, each with a name of its own."""

"""What a damage is, and ways to do one."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Executable, Table, delete, insert, update

from chaos.invariants.tables import Row
from tests.integration.invariants.planting import values_of
from tests.unit.invariants.stories import Story

Told = tuple[str, str, str]
"""A violation: invariant, subject, what was found."""


@dataclass(frozen=True)
class Damage:
    """What is done to one store, and all that is found then.

    `lawless`: only a database without constraints lets it happen.
    """

    store: str
    statements: tuple[Executable, ...]
    violations: frozenset[Told]
    lawless: bool = False


def damage(store: str, *statements: Executable, found: set[Told], lawless: bool = False) -> Damage:
    return Damage(store, statements, frozenset(found), lawless)


def change(table: Table, story: Story, position: int | None = None, **values: Any) -> Executable:
    """Sets columns of the order's row; of its lines only the one at `position`."""
    changed = update(table).where(table.c.order_id == story.order_id).values(values)
    return changed if position is None else changed.where(table.c.position == position)


def lose(table: Table, story: Story, position: int | None = None) -> Executable:
    lost = delete(table).where(table.c.order_id == story.order_id)
    return lost if position is None else lost.where(table.c.position == position)


def add(table: Table, row: Row) -> Executable:
    return insert(table).values(values_of(table, row))

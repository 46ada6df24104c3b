"""What the schemas promise, seen for ourselves: a store may have been made or repaired without its constraints."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

from chaos.invariants.checks.invariant import Invariant, Mismatch, about
from chaos.invariants.evidence import Evidence
from chaos.invariants.tables import OrderLine, ReservationLine


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a table, and how many rows have it."""

    table: str
    values: tuple[Any, ...]
    rows: int

    @property
    def subject(self) -> str:
        return f"{self.table} {', '.join(map(str, self.values))}"


def _keys(evidence: Evidence) -> Iterator[Key]:
    count = Counter((row.TABLE, row.identity) for row in evidence.rows())
    return (Key(*key, rows) for key, rows in count.items())


def _lines(evidence: Evidence) -> Iterator[OrderLine | ReservationLine]:
    return chain(evidence.order_lines, evidence.reservation_lines)


@about(_keys)
def row_is_unique(_: Evidence, key: Key) -> Iterator[Mismatch]:
    """No order, key, line, product, reservation or payment is there twice."""
    if key.rows != 1:
        yield f"{key.rows} rows", "one"


@about(lambda evidence: evidence.order_lines)
def order_line_has_its_order(evidence: Evidence, line: OrderLine) -> Iterator[Mismatch]:
    """Every line of an order is of one that exists."""
    if line.order_id not in evidence.order_by_id:
        yield f"{line.quantity} of {line.product_id}, and no such order", "an order"


@about(lambda evidence: evidence.reservation_lines)
def reserved_line_has_its_reservation(evidence: Evidence, line: ReservationLine) -> Iterator[Mismatch]:
    """Every reserved line is of a reservation and of a product."""
    if line.order_id not in evidence.reservations_by_order:
        yield f"{line.quantity} of {line.product_id}, and no such reservation", "a reservation"
    if line.product_id not in evidence.product_ids:
        yield f"{line.quantity} of {line.product_id}, and no such product", "a product"


@about(_lines)
def line_has_pieces(_: Evidence, line: OrderLine | ReservationLine) -> Iterator[Mismatch]:
    """Every line is of at least one piece."""
    if line.quantity <= 0:
        yield f"{line.quantity} of {line.product_id}", "at least one piece"


INVARIANTS: Final[tuple[Invariant[Any], ...]] = (
    row_is_unique,
    order_line_has_its_order,
    reserved_line_has_its_reservation,
    line_has_pieces,
)

"""Everything that the invariants are proven from: the stored rows, and what clients were told."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Protocol, TypeVar

from chaos.invariants.acknowledged import Acknowledged
from chaos.invariants.tables import (
    CONFIRMED,
    PENDING,
    TAKEN,
    UNSOLD,
    IdempotencyRecord,
    Order,
    OrderLine,
    Payment,
    Product,
    Reservation,
    ReservationLine,
    Row,
)


class _OfOrder(Protocol):
    @property
    def order_id(self) -> str: ...


T = TypeVar("T", bound=_OfOrder)


@dataclass(frozen=True)
class Evidence:
    """The rows of each table, and ways to look them up. `by_order`: an order's, absent where it has none.

    `now_us` is the moment that ages are counted to; `max_pending_us` is how long an order may be pending.
    """

    orders: Sequence[Order]
    order_lines: Sequence[OrderLine]
    records: Sequence[IdempotencyRecord]
    products: Sequence[Product]
    reservations: Sequence[Reservation]
    reservation_lines: Sequence[ReservationLine]
    payments: Sequence[Payment]
    acknowledged: Sequence[Acknowledged]
    now_us: int
    max_pending_us: int

    def rows(self) -> Iterator[Row]:
        """Every row of every table."""
        reserved = (self.products, self.reservations, self.reservation_lines)
        return chain(self.orders, self.order_lines, self.records, *reserved, self.payments)

    @cached_property
    def confirmed_orders(self) -> Sequence[Order]:
        return [each for each in self.orders if each.state == CONFIRMED]

    @cached_property
    def unsold_orders(self) -> Sequence[Order]:
        """Those that came to nothing."""
        return [each for each in self.orders if each.state in UNSOLD]

    @cached_property
    def pending_orders(self) -> Sequence[Order]:
        return [each for each in self.orders if each.status == PENDING]

    @cached_property
    def taken_reservations(self) -> Sequence[Reservation]:
        """Those whose pieces nobody else can have."""
        return [each for each in self.reservations if each.state in TAKEN]

    @cached_property
    def order_by_id(self) -> Mapping[str, Order]:
        return {each.order_id: each for each in self.orders}

    @cached_property
    def record_by_key(self) -> Mapping[tuple[str, str], IdempotencyRecord]:
        """By user and key."""
        return {(each.user_id, each.key): each for each in self.records}

    @cached_property
    def product_ids(self) -> frozenset[str]:
        return frozenset(each.product_id for each in self.products)

    @cached_property
    def lines_by_order(self) -> Mapping[str, Sequence[OrderLine]]:
        return _grouped(self.order_lines)

    @cached_property
    def records_by_order(self) -> Mapping[str, Sequence[IdempotencyRecord]]:
        return _grouped(self.records)

    @cached_property
    def payments_by_order(self) -> Mapping[str, Sequence[Payment]]:
        return _grouped(self.payments)

    @cached_property
    def reservations_by_order(self) -> Mapping[str, Sequence[Reservation]]:
        return _grouped(self.reservations)

    @cached_property
    def reserved_by_order(self) -> Mapping[str, Sequence[ReservationLine]]:
        return _grouped(self.reservation_lines)

    @cached_property
    def taken_pieces(self) -> Mapping[tuple[str, str], int]:
        """Product and the reservation's state, held or confirmed → pieces."""
        pieces: Counter[tuple[str, str]] = Counter()
        for reservation in self.taken_reservations:
            for line in self.reserved_by_order.get(reservation.order_id, ()):
                pieces[line.product_id, reservation.state] += line.quantity
        return pieces

    @cached_property
    def asked_to_cancel(self) -> frozenset[str]:
        """The ids of the orders whose cancellation a client has asked for."""
        asked = (each for each in self.acknowledged if each.cancellation_asked or each.status == "cancelled")
        return frozenset(each.order_id for each in asked)


def _grouped(rows: Iterable[T]) -> Mapping[str, Sequence[T]]:
    groups: defaultdict[str, list[T]] = defaultdict(list)
    for row in rows:
        groups[row.order_id].append(row)
    return dict(groups)

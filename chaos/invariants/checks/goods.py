"""Goods are kept for each order as it is, and not a piece appears or disappears."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from chaos.invariants.checks.invariant import Invariant, Mismatch, about
from chaos.invariants.evidence import Evidence
from chaos.invariants.tables import (
    CONFIRMED,
    HELD,
    RELEASED,
    Order,
    OrderLine,
    Product,
    Reservation,
    ReservationLine,
)

Lines = Sequence[OrderLine] | Sequence[ReservationLine]


@about(lambda evidence: evidence.confirmed_orders)
def confirmed_order_has_its_goods(evidence: Evidence, order: Order) -> Iterator[Mismatch]:
    """A confirmed order has exactly one reservation, which is confirmed."""
    states = [each.state for each in evidence.reservations_by_order.get(order.order_id, ())]
    if states != [CONFIRMED]:
        yield f"reservation {', '.join(states)}" if states else "no reservation", "one reservation, confirmed"


@about(lambda evidence: evidence.unsold_orders)
def unsold_order_holds_no_goods(evidence: Evidence, order: Order) -> Iterator[Mismatch]:
    """A rejected or cancelled order has no reservation that is not released."""
    for reservation in evidence.reservations_by_order.get(order.order_id, ()):
        if reservation.state != RELEASED:
            yield f"order {order.state}, reservation {reservation.state}", "no reservation, or released"


@about(lambda evidence: evidence.reservations)
def reservation_is_of_the_orders_lines(evidence: Evidence, reservation: Reservation) -> Iterator[Mismatch]:
    """A reservation has exactly its order's products, pieces and prices."""
    order = evidence.order_by_id.get(reservation.order_id)
    kept = evidence.reserved_by_order.get(reservation.order_id, ())
    if order is None or (reservation.state == RELEASED and not kept):
        return  # the first is for `reservation-has-its-order`, the second was released before it was reserved
    asked = evidence.lines_by_order.get(reservation.order_id, ())
    priced = order.total_minor is not None
    if _goods(kept, priced=priced) != _goods(asked, priced=priced):
        yield f"{reservation.state}: {_told(kept)}", f"the order's lines: {_told(asked)}"


@about(lambda evidence: evidence.taken_reservations)
def reservation_has_its_order(evidence: Evidence, reservation: Reservation) -> Iterator[Mismatch]:
    """Goods that are held or sold are so for an order."""
    if reservation.order_id not in evidence.order_by_id:
        goods = _told(evidence.reserved_by_order.get(reservation.order_id, ()))
        yield f"{reservation.state}: {goods}, and no such order", "an order"


@about(lambda evidence: evidence.products)
def stock_is_conserved(evidence: Evidence, product: Product) -> Iterator[Mismatch]:
    """What was there at the start is available, held or confirmed."""
    held, sold = (evidence.taken_pieces.get((product.product_id, state), 0) for state in (HELD, CONFIRMED))
    if (there := product.available + held + sold) != product.initial_stock:
        found = f"{product.available} available + {held} held + {sold} confirmed = {there}"
        yield found, f"{product.initial_stock}, as at the start"


@about(lambda evidence: evidence.products)
def stock_is_not_negative(_: Evidence, product: Product) -> Iterator[Mismatch]:
    """No stock is negative."""
    for pieces, when in ((product.available, "available"), (product.initial_stock, "at the start")):
        if pieces < 0:
            yield f"{pieces} {when}", "none or more"


def _goods(lines: Lines, *, priced: bool) -> list[tuple[object, ...]]:
    """What is to be the same on both sides; prices only where the order has them already."""
    return sorted((each.product_id, each.quantity, *_price(each, priced=priced)) for each in lines)


def _price(line: OrderLine | ReservationLine, *, priced: bool) -> tuple[object, ...]:
    return (str(line.unit_price_minor), str(line.currency)) if priced else ()


def _told(lines: Lines) -> str:
    return ", ".join(map(_told_one, lines)) or "nothing"


def _told_one(line: OrderLine | ReservationLine) -> str:
    price = "" if line.unit_price_minor is None else f" at {line.unit_price_minor} {line.currency} minor"
    return f"{line.quantity} of {line.product_id}{price}"


INVARIANTS: Final[tuple[Invariant[Any], ...]] = (
    confirmed_order_has_its_goods,
    unsold_order_holds_no_goods,
    reservation_is_of_the_orders_lines,
    reservation_has_its_order,
    stock_is_conserved,
    stock_is_not_negative,
)

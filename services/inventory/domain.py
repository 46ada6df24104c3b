"""Catalogue, stock and reservations: the rules, without I/O.

A reservation belongs to one order and moves so:

              Reserve            Confirm
    (none) ------------> held ------------> confirmed
       |                   |                    |
       | Release           | Release            | Release
       +--------------> released <--------------+

`released` is the end. An order that was released before it was reserved gets an empty released reservation, so
that a Reserve that arrives late is refused instead of holding goods for nobody.
At every moment, for each product: initial stock = available + held + confirmed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from services.chassis.errors import FieldError, ProblemError
from services.contracts.lines import wrong_fields
from services.contracts.money.money import Money


@dataclass(frozen=True)
class Product:
    """A row of the catalogue; `available` pieces can be reserved now, never fewer than none."""

    product_id: str
    name: str
    price: Money
    available: int


@dataclass(frozen=True)
class Line:
    """What an order asks for of one product."""

    product_id: str
    quantity: int


@dataclass(frozen=True)
class ReservedLine:
    """What was set aside of one product, at the price that holds for the order."""

    product_id: str
    quantity: int
    unit_price: Money

    @property
    def line(self) -> Line:
        return Line(self.product_id, self.quantity)


class ReservationState(StrEnum):
    """Where a reservation stands; see the module."""

    HELD = "held"
    CONFIRMED = "confirmed"
    RELEASED = "released"


@dataclass(frozen=True)
class Reservation:
    """The goods of one order, in the order of its lines.

    Times are microseconds since 1970 in UTC; from `expires_at_us` on what is held may be given back.
    """

    order_id: str
    state: ReservationState
    lines: tuple[ReservedLine, ...]
    created_at_us: int
    expires_at_us: int

    def asked_for(self) -> tuple[Line, ...]:
        return tuple(each.line for each in self.lines)

    def moved(self, state: ReservationState) -> "Reservation":
        return replace(self, state=state)


def held(order_id: str, lines: Sequence[ReservedLine], now_us: int, hold_for_us: int) -> Reservation:
    """A new reservation."""
    return Reservation(order_id, ReservationState.HELD, tuple(lines), now_us, now_us + hold_for_us)


def never_held(order_id: str, now_us: int) -> Reservation:
    """The reservation of an order that was released before it was reserved."""
    return Reservation(order_id, ReservationState.RELEASED, (), now_us, now_us)


def answered_again(reservation: Reservation, lines: Sequence[Line]) -> Reservation:
    """The answer to a Reserve whose order has `reservation` already.

    Raises ProblemError reservation-closed, or idempotency-key-reused where the lines differ from the first time's.
    """
    if reservation.state is ReservationState.RELEASED:
        raise closed(reservation)
    if reservation.asked_for() != tuple(lines):
        raise ProblemError("idempotency-key-reused", f"{reservation.order_id} was reserved with other lines")
    return reservation


def closed(reservation: Reservation) -> ProblemError:
    """The refusal of what only a reservation that has not ended allows."""
    return ProblemError("reservation-closed", f"the reservation of {reservation.order_id} is {reservation.state}")


def check_lines(lines: Sequence[Line]) -> None:
    """Raises ProblemError validation-failed, naming each wrong field."""
    if wrong := wrong_fields([(each.product_id, each.quantity) for each in lines]):
        errors = [FieldError(*each) for each in wrong]
        raise ProblemError("validation-failed", "the lines are not those of an order", errors=errors)


def priced(lines: Sequence[Line], products: Mapping[str, Product]) -> tuple[ReservedLine, ...]:
    """`lines` with today's prices.

    Raises ProblemError unknown-product, naming each line whose product is not among `products`.
    """
    errors = [
        FieldError(f"lines[{index}].product_id", f"there is no product {line.product_id}")
        for index, line in enumerate(lines)
        if line.product_id not in products
    ]
    if errors:
        raise ProblemError("unknown-product", "the catalogue does not have every product", errors=errors)
    return tuple(ReservedLine(each.product_id, each.quantity, products[each.product_id].price) for each in lines)


def out_of_stock(lines: Sequence[Line], available: Mapping[str, int]) -> ProblemError:
    """The refusal of `lines`, naming those whose product is in `available`, with the pieces there are."""
    errors = [
        FieldError(
            f"lines[{index}].quantity",
            f"{line.quantity} of {line.product_id} asked for, {available[line.product_id]} available",
        )
        for index, line in enumerate(lines)
        if line.product_id in available
    ]
    return ProblemError("out-of-stock", "nothing was reserved", errors=errors)

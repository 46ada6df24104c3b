"""Catalogue, stock and reservations: the rules, without I/O.

A reservation belongs to one order and moves so:

              Reserve            Confirm
    (none) ------------> held ------------> confirmed
       |                   |                    |
       | Release           | Release            | Release
       +--------------> released <--------------+

`released` is the end. An order that was released before it was reserved gets an empty released reservation, so
that a Reserve that arrives late is refused instead of holding goods for nobody. A Reserve that is refused is such an end
too, and kept with its reason, so that asking again, or a request that arrives late, gets the same answer.

What is held expires: from `expires_at_us` on it may be given back, which is a Release that nobody asked for. Until that
has happened it is held, and can be confirmed. A Reserve that is repeated when less than half of the time is left begins
the time anew. What was sold does not expire.

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
class Refusal:
    """Why nothing was reserved: a slug of the error catalogue, and what its problem said."""

    slug: str
    detail: str
    errors: tuple[FieldError, ...]

    def problem(self) -> ProblemError:
        return ProblemError(self.slug, self.detail, errors=self.errors)


@dataclass(frozen=True)
class Reservation:
    """The goods of one order, in the order of its lines.

    Times are microseconds since 1970 in UTC; from `expires_at_us` on what is held may be given back. `refusal` is there
    where nothing was ever held, because it could not be.
    """

    order_id: str
    state: ReservationState
    lines: tuple[ReservedLine, ...]
    created_at_us: int
    expires_at_us: int
    refusal: Refusal | None = None

    def asked_for(self) -> tuple[Line, ...]:
        return tuple(each.line for each in self.lines)

    def moved(self, state: ReservationState) -> "Reservation":
        return replace(self, state=state)

    def refused(self, refusal: Refusal) -> "Reservation":
        return replace(self, state=ReservationState.RELEASED, refusal=refusal)

    def prolonged(self, now_us: int, hold_for_us: int) -> "Reservation":
        """Held for as long as a new one, if less than half of that is left; itself else."""
        enough = self.state is not ReservationState.HELD or self.expires_at_us - now_us >= hold_for_us // 2
        return self if enough else replace(self, expires_at_us=now_us + hold_for_us)


def begun(
    order_id: str, lines: Sequence[Line], products: Mapping[str, Product], now_us: int, hold_for_us: int
) -> Reservation:
    """A new reservation at today's prices, or a refused one where a product is not among `products`."""
    if unknown := _unknown(lines, products):
        return never_held(order_id, now_us).refused(unknown)
    priced = [ReservedLine(each.product_id, each.quantity, products[each.product_id].price) for each in lines]
    return held(order_id, priced, now_us, hold_for_us)


def held(order_id: str, lines: Sequence[ReservedLine], now_us: int, hold_for_us: int) -> Reservation:
    """A new reservation of these goods."""
    return Reservation(order_id, ReservationState.HELD, tuple(lines), now_us, now_us + hold_for_us)


def never_held(order_id: str, now_us: int) -> Reservation:
    """The reservation of an order that was released before it was reserved."""
    return Reservation(order_id, ReservationState.RELEASED, (), now_us, now_us)


def answered(reservation: Reservation, lines: Sequence[Line]) -> Reservation:
    """The answer to a Reserve whose order has `reservation`, since now or before.

    Raises ProblemError with why it was refused, reservation-closed, or idempotency-key-reused where the lines differ
    from the first time's.
    """
    if reservation.refusal:
        raise reservation.refusal.problem()
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


def _unknown(lines: Sequence[Line], products: Mapping[str, Product]) -> Refusal | None:
    """The refusal that names each line whose product is not among `products`."""
    errors = tuple(
        FieldError(f"lines[{index}].product_id", f"there is no product {line.product_id}")
        for index, line in enumerate(lines)
        if line.product_id not in products
    )
    return Refusal("unknown-product", "the catalogue does not have every product", errors) if errors else None


def out_of_stock(lines: Sequence[Line], available: Mapping[str, int]) -> Refusal:
    """The refusal of `lines`, naming those whose product is in `available`, with the pieces there are."""
    errors = tuple(
        FieldError(
            f"lines[{index}].quantity",
            f"{line.quantity} of {line.product_id} asked for, {available[line.product_id]} available",
        )
        for index, line in enumerate(lines)
        if line.product_id in available
    )
    return Refusal("out-of-stock", "nothing was reserved", errors)

"""What became of orders, as data: the rows that a run leaves behind, made without the services that leave them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from chaos.invariants import Acknowledged
from chaos.invariants.evidence import Evidence
from chaos.invariants.tables import (
    IdempotencyRecord,
    Order,
    OrderLine,
    Payment,
    Product,
    Reservation,
    ReservationLine,
)

NOW_US = 1_700_000_000_000_000
SECOND_US = 1_000_000
MAX_PENDING_S = 60.0
FINAL = ("confirmed", "rejected", "cancelled")


@dataclass(frozen=True)
class Line:
    """Pieces of a product and the price of one."""

    product_id: str
    quantity: int = 1
    price: int = 500


@dataclass(frozen=True)
class Story:
    """One order. `payment` and `reservation` are states, None where there is none.

    `priced`: the order knows its prices. `begun`: the payment has an amount. `filled`: the reservation has lines.
    """

    order_id: str
    state: str
    payment: str | None = None
    reservation: str | None = None
    lines: tuple[Line, ...] = (Line("p-1"),)
    user_id: str = "user-1"
    priced: bool = True
    begun: bool = True
    filled: bool = True
    age_us: int = SECOND_US
    leased_us: int | None = None

    @property
    def total(self) -> int:
        return sum(each.price * each.quantity for each in self.lines)

    @property
    def key(self) -> str:
        return f"key-of-{self.order_id}"

    def order(self) -> Order:
        total, currency = (self.total, "EUR") if self.priced else (None, None)
        leased_until_us = None if self.leased_us is None else NOW_US + self.leased_us
        created_at_us = NOW_US - self.age_us
        reason = "out-of-stock" if self.state == "rejected" else None
        cancelled_at_us = created_at_us if self.state == "cancelled" else None
        due_at_us = None if self.state in FINAL else NOW_US
        row = (self.order_id, self.user_id, self.state, total, currency, 3, leased_until_us, created_at_us)
        confirmed_at_us = created_at_us if self.state == "confirmed" else None
        return Order(*row, reason, cancelled_at_us, due_at_us, confirmed_at_us)

    def order_lines(self) -> list[OrderLine]:
        return [
            OrderLine(
                self.order_id,
                position,
                line.product_id,
                line.quantity,
                line.price if self.priced else None,
                "EUR" if self.priced else None,
            )
            for position, line in enumerate(self.lines)
        ]

    def reserved_lines(self) -> list[ReservationLine]:
        kept = self.lines if self.reservation and self.filled else ()
        return [
            ReservationLine(self.order_id, position, line.product_id, line.quantity, line.price, "EUR")
            for position, line in enumerate(kept)
        ]

    def payments(self) -> list[Payment]:
        amount = (self.total, "EUR") if self.begun else (None, None)
        return [Payment(self.order_id, self.payment, *amount)] if self.payment else []

    def told(self) -> Acknowledged:
        """What a client that heard the last answer knows."""
        return Acknowledged(self.order_id, self.user_id, self.key, self.order().status)  # type: ignore[arg-type] # a str


def left_behind(stories: Sequence[Story], free: int = 5, told: Iterable[Acknowledged] | None = None) -> Evidence:
    """The evidence of a healthy run in which these orders were made; `free` pieces of each product are left.

    Clients have heard of every order, unless `told` says otherwise.
    """
    return Evidence(
        orders=[each.order() for each in stories],
        order_lines=[line for each in stories for line in each.order_lines()],
        records=[IdempotencyRecord(each.user_id, each.key, each.order_id) for each in stories],
        products=_products(stories, free),
        reservations=[Reservation(each.order_id, each.reservation) for each in stories if each.reservation],
        reservation_lines=[line for each in stories for line in each.reserved_lines()],
        payments=[payment for each in stories for payment in each.payments()],
        acknowledged=[each.told() for each in stories] if told is None else list(told),
        now_us=NOW_US,
        max_pending_us=round(MAX_PENDING_S * SECOND_US),
    )


def with_told(evidence: Evidence, *told: Acknowledged) -> Evidence:
    return replace(evidence, acknowledged=told)


def _products(stories: Sequence[Story], free: int) -> list[Product]:
    taken = Counter[str]()
    for story in stories:
        for line in story.lines:
            kept = line.quantity if story.reservation in ("held", "confirmed") and story.filled else 0
            taken[line.product_id] += kept
    return [Product(each, pieces + free, free) for each, pieces in sorted(taken.items())]


SOLD = Story("ord-sold", "confirmed", "captured", "confirmed", (Line("p-1", 2, 500), Line("p-2", 1, 250)))
SOLD_TOO = Story("ord-sold-too", "confirmed", "captured", "confirmed", (Line("p-2", 3, 250),), "user-2")
DECLINED = Story("ord-declined", "rejected", "declined", "released")
SOLD_OUT = Story("ord-sold-out", "rejected", priced=False)
CANCELLED = Story("ord-cancelled", "cancelled", "refunded", "released")
NEVER_BEGUN = Story("ord-never-begun", "cancelled", "voided", "released", priced=False, begun=False, filled=False)
PENDING = Story("ord-pending", "authorized", "capturing", "held", leased_us=5 * SECOND_US)

ALL = (SOLD, SOLD_TOO, DECLINED, SOLD_OUT, CANCELLED, NEVER_BEGUN, PENDING)
"""One of each kind."""

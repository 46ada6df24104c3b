"""The rows that the checker reads. A class is a table, its fields are columns: their names, types and NULLs.

They are a contract with the services, whose tables may have more columns but none of these otherwise; a test compares
them, and the states below, with the services' own. Amounts are in the smallest unit, times in microseconds since 1970
in UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any, ClassVar, Final

CONFIRMED: Final = "confirmed"
REJECTED: Final = "rejected"
CANCELLED: Final = "cancelled"

UNSOLD: Final = frozenset({REJECTED, CANCELLED})
"""The final states of an order that came to nothing."""

PENDING: Final = "pending"
"""The status of an order in any state that is not final."""

CAPTURED: Final = "captured"
NOT_CHARGED: Final = frozenset({"voided", "refunded", "declined"})
"""The final states of a payment that cost the customer nothing."""

HELD: Final = "held"
RELEASED: Final = "released"
TAKEN: Final = frozenset({HELD, CONFIRMED})
"""The states of a reservation whose pieces nobody else can have."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of `TABLE`, told from others by its `KEY`."""

    TABLE: ClassVar[str]
    KEY: ClassVar[tuple[str, ...]]

    @property
    def identity(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in self.KEY)

    @property
    def subject(self) -> str:
        return ", ".join(map(str, self.identity))


@dataclass(frozen=True, slots=True)
class Order(Row):
    """The total and its currency are NULL until the order's lines have prices.

    `reason` is why it was rejected, `cancelled_at_us` when its cancellation was asked for; `due_at_us` is when the recovery
    looks after it; `confirmed_at_us` stays when a confirmed order is cancelled. Each is NULL where that is not the case.
    """

    TABLE: ClassVar = "orders"
    KEY: ClassVar = ("order_id",)

    order_id: str
    user_id: str
    state: str
    total_minor: int | None
    currency: str | None
    version: int
    leased_until_us: int | None
    created_at_us: int
    reason: str | None
    cancelled_at_us: int | None
    due_at_us: int | None
    confirmed_at_us: int | None

    @property
    def pending_since_us(self) -> int:
        """Since it was placed; a confirmed order was final until its cancellation was asked for."""
        if self.confirmed_at_us is None or self.cancelled_at_us is None:
            return self.created_at_us
        return self.cancelled_at_us

    @property
    def status(self) -> str:
        return self.state if self.state == CONFIRMED or self.state in UNSOLD else PENDING


@dataclass(frozen=True, slots=True)
class OrderLine(Row):
    """The price of a piece and its currency are NULL until the order is reserved."""

    TABLE: ClassVar = "order_lines"
    KEY: ClassVar = ("order_id", "position")

    order_id: str
    position: int
    product_id: str
    quantity: int
    unit_price_minor: int | None
    currency: str | None


@dataclass(frozen=True, slots=True)
class IdempotencyRecord(Row):
    """That a user's key stands for an order."""

    TABLE: ClassVar = "idempotency_records"
    KEY: ClassVar = ("user_id", "key")

    user_id: str
    key: str
    order_id: str


@dataclass(frozen=True, slots=True)
class Product(Row):
    """`available` pieces can be reserved now; `initial_stock` there were at the start."""

    TABLE: ClassVar = "products"
    KEY: ClassVar = ("product_id",)

    product_id: str
    initial_stock: int
    available: int


@dataclass(frozen=True, slots=True)
class Reservation(Row):
    """The goods of one order."""

    TABLE: ClassVar = "reservations"
    KEY: ClassVar = ("order_id",)

    order_id: str
    state: str


@dataclass(frozen=True, slots=True)
class ReservationLine(Row):
    """Pieces of one product, at the price that holds for the order."""

    TABLE: ClassVar = "reservation_lines"
    KEY: ClassVar = ("order_id", "position")

    order_id: str
    position: int
    product_id: str
    quantity: int
    unit_price_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class Payment(Row):
    """The charge of one order. Amount and currency are NULL where it was voided before it began."""

    TABLE: ClassVar = "payments"
    KEY: ClassVar = ("order_id",)

    order_id: str
    state: str
    amount_minor: int | None
    currency: str | None


STORES: Final[Mapping[str, tuple[type[Row], ...]]] = MappingProxyType(
    {
        "orders": (Order, OrderLine, IdempotencyRecord),
        "inventory": (Product, Reservation, ReservationLine),
        "payments": (Payment,),
    }
)
"""Store → its tables."""


def columns_of(kind: type[Row]) -> list[str]:
    """The names of the columns, in the order of the fields."""
    return [each.name for each in fields(kind)]

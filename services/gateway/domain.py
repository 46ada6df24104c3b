"""What the public sees of the shop. The gateway has no rules of its own about it: they are their owners'."""

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Literal, TypeVar

from services.contracts.money.money import Money

T = TypeVar("T")

Status = Literal["pending", "confirmed", "rejected", "cancelled"]


@dataclass(frozen=True)
class Product:
    """A product of the catalogue; `available` pieces could be ordered a moment ago."""

    product_id: str
    name: str
    price: Money
    available: int


@dataclass(frozen=True)
class Seen(Generic[T]):
    """What the gateway shows of something: as its owner says it is now, or as it was seen `age_s` seconds ago."""

    value: T
    age_s: float | None = None

    @property
    def degraded(self) -> bool:
        """Whether the owner did not answer."""
        return self.age_s is not None


@dataclass(frozen=True)
class RequestedLine:
    """What is asked for of one product."""

    product_id: str
    quantity: int


@dataclass(frozen=True)
class OrderRequest:
    """A checkout, as a customer asks for it."""

    lines: tuple[RequestedLine, ...]
    payment_method: str


@dataclass(frozen=True)
class OrderLine:
    """One product of an order; its price is None until it is reserved."""

    product_id: str
    quantity: int
    unit_price: Money | None


@dataclass(frozen=True)
class Order:
    """An order; `reason` is a slug of the error catalogue where it was rejected."""

    order_id: str
    status: Status
    reason: str | None
    lines: tuple[OrderLine, ...]
    total: Money | None
    created_at: datetime

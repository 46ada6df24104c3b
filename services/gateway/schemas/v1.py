"""Version 1 of the shapes that the public sends and gets."""

from collections.abc import Mapping
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field, StrictInt
from pydantic.config import JsonDict

from services.contracts.pages import Page
from services.gateway import domain

Examples = Mapping[str, JsonDict]
"""Name → an answer, as the document shows it."""

_MONEY: JsonDict = {"amount_minor": 1299, "currency": "EUR"}
_PRODUCT: JsonDict = {"product_id": "p-0001", "name": "Oak Mug", "price": _MONEY, "available": 999}
_ORDER: JsonDict = {
    "order_id": "ord_5f0c3b1e9d7a4c62",
    "status": "confirmed",
    "reason": None,
    "lines": [{"product_id": "p-0001", "quantity": 2, "unit_price": _MONEY}],
    "total": {"amount_minor": 2598, "currency": "EUR"},
    "created_at": "2025-01-31T12:34:56.789012Z",
}
CANCELLED: JsonDict = {**_ORDER, "status": "cancelled"}
PENDING: JsonDict = {**_ORDER, "status": "pending"}
_REJECTED: JsonDict = {**_ORDER, "status": "rejected", "reason": "payment-declined"}

PRODUCT_EXAMPLES: Examples = {
    "product": {**_PRODUCT, "degraded": False},
    "as it was seen": {**_PRODUCT, "degraded": True},
}
PRODUCT_PAGE_EXAMPLES: Examples = {
    "last page": {"items": [_PRODUCT], "next_cursor": None, "degraded": False},
    "one of several": {"items": [_PRODUCT], "next_cursor": "WyJwcm9kdWN0cyIsInAtMDAwMSJd", "degraded": False},
    "as it was seen": {"items": [_PRODUCT], "next_cursor": None, "degraded": True},
}
PLACED_EXAMPLES: Examples = {"confirmed": _ORDER}
ORDER_EXAMPLES: Examples = {**PLACED_EXAMPLES, "pending": PENDING, "rejected": _REJECTED, "cancelled": CANCELLED}
"""Status → an order that has it."""
ORDER_PAGE_EXAMPLES: Examples = {
    "last page": {"items": [_ORDER, CANCELLED, _REJECTED], "next_cursor": None},
    "none yet": {"items": [], "next_cursor": None},
}


class Money(BaseModel):
    """An amount in the smallest unit of its currency: 12.99 EUR is 1299."""

    amount_minor: int
    currency: str = Field(description="ISO 4217.")


class Product(BaseModel):
    """A product of the catalogue."""

    product_id: str
    name: str
    price: Money
    available: int = Field(description="Pieces that could be ordered a moment ago.")


_DEGRADED = Field(
    description="True where the catalogue did not answer: these are the last values that were seen, `Age` seconds ago."
)


class SingleProduct(Product):
    """A product of the catalogue, by itself."""

    degraded: bool = _DEGRADED


class ProductPage(BaseModel):
    """A page of the catalogue."""

    items: list[Product]
    next_cursor: str | None = Field(description="For the parameter `cursor` of the next page; null on the last.")
    degraded: bool = _DEGRADED


class RequestedLine(BaseModel):
    """What is ordered of one product."""

    model_config = ConfigDict(extra="forbid")

    product_id: str
    quantity: StrictInt = Field(description="1 to 1000.")


class PlaceOrder(BaseModel):
    """A checkout."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"lines": [{"product_id": "p-0001", "quantity": 2}], "payment_method": "pm_card_visa"},
            ]
        },
    )

    lines: list[RequestedLine] = Field(description="1 to 20, each product once.")
    payment_method: str = Field(description="A token of the card provider, never a card number.")

    def to_domain(self) -> domain.OrderRequest:
        """As the use cases take it."""
        lines = tuple(domain.RequestedLine(each.product_id, each.quantity) for each in self.lines)
        return domain.OrderRequest(lines, self.payment_method)


class OrderLine(BaseModel):
    """One product of an order."""

    product_id: str
    quantity: int
    unit_price: Money | None = Field(description="Null until the goods are reserved.")


class Order(BaseModel):
    """An order."""

    order_id: str
    status: domain.Status
    reason: str | None = Field(
        description="Why it was or will be rejected: the last part of a problem's type; else null."
    )
    lines: list[OrderLine]
    total: Money | None = Field(description="Null until the goods are reserved.")
    created_at: datetime


class OrderPage(BaseModel):
    """A page of orders."""

    items: list[Order]
    next_cursor: str | None = Field(description="For the parameter `cursor` of the next page; null on the last.")


class FieldProblem(BaseModel):
    """What is wrong with one field."""

    field: str
    message: str


class Problem(BaseModel):
    """An error, by RFC 9457. Its type is the address of a page that explains it."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    trace_id: str
    errors: list[FieldProblem]
    retry_after: float | None = Field(description="Seconds to wait before trying again.")
    order_id: str | None = Field(None, description="The order that was begun, where there is one.")
    retried: str | None = Field(
        None,
        description='"true" where whoever is next to the failure has tried again, so that others need not at once.',
    )


def product(it: domain.Product) -> Product:
    """`it` as it is shown."""
    price = Money(amount_minor=it.price.amount_minor, currency=it.price.currency)
    return Product(product_id=it.product_id, name=it.name, price=price, available=it.available)


def single_product(it: domain.Seen[domain.Product]) -> SingleProduct:
    """`it` as it is shown."""
    return SingleProduct(**product(it.value).model_dump(), degraded=it.degraded)


def product_page(it: domain.Seen[Page[domain.Product]]) -> ProductPage:
    """`it` as it is shown."""
    items = [product(each) for each in it.value.items]
    return ProductPage(items=items, next_cursor=it.value.next_cursor, degraded=it.degraded)


def order(it: domain.Order) -> Order:
    """`it` as it is shown."""
    return Order(
        order_id=it.order_id,
        status=it.status,
        reason=it.reason,
        lines=[_line(each) for each in it.lines],
        total=Money(amount_minor=it.total.amount_minor, currency=it.total.currency) if it.total else None,
        created_at=it.created_at,
    )


def order_page(it: Page[domain.Order]) -> OrderPage:
    """`it` as it is shown."""
    return OrderPage(items=[order(each) for each in it.items], next_cursor=it.next_cursor)


def _line(it: domain.OrderLine) -> OrderLine:
    price = it.unit_price
    shown = Money(amount_minor=price.amount_minor, currency=price.currency) if price else None
    return OrderLine(product_id=it.product_id, quantity=it.quantity, unit_price=shown)

"""Version 1 of the shapes that orders takes and gives, for callers inside the system."""

from datetime import datetime

from pydantic import BaseModel, StrictInt

from services.contracts.pages import Page
from services.contracts.times import to_datetime
from services.orders import domain


class Money(BaseModel):
    """An amount in the smallest unit of its currency."""

    amount_minor: int
    currency: str


class RequestedLine(BaseModel):
    """What is asked for of one product."""

    product_id: str
    quantity: StrictInt


class PlaceOrder(BaseModel):
    """A checkout."""

    lines: list[RequestedLine]
    payment_method: str

    def to_domain(self) -> domain.Request:
        lines = tuple(domain.OrderLine(each.product_id, each.quantity) for each in self.lines)
        return domain.Request(lines, self.payment_method)


class Line(BaseModel):
    """One product of an order; `unit_price` is null until it is reserved."""

    product_id: str
    quantity: int
    unit_price: Money | None


class Order(BaseModel):
    """An order; `reason` is a slug of the error catalogue where it was rejected."""

    order_id: str
    status: domain.Status
    reason: str | None
    lines: list[Line]
    total: Money | None
    created_at: datetime


class OrderPage(BaseModel):
    """A page of orders."""

    items: list[Order]
    next_cursor: str | None


def order(it: domain.Order) -> Order:
    """`it` as it is shown."""
    return Order(
        order_id=it.order_id,
        status=it.status,
        reason=it.refusal.reason if it.refusal else None,
        lines=[_line(each) for each in it.lines],
        total=Money(amount_minor=it.total.amount_minor, currency=it.total.currency) if it.total else None,
        created_at=to_datetime(it.created_at_us),
    )


def page(it: Page[domain.Order]) -> OrderPage:
    """`it` as it is shown."""
    return OrderPage(items=[order(each) for each in it.items], next_cursor=it.next_cursor)


def _line(it: domain.OrderLine) -> Line:
    price = it.unit_price
    shown = Money(amount_minor=price.amount_minor, currency=price.currency) if price else None
    return Line(product_id=it.product_id, quantity=it.quantity, unit_price=shown)

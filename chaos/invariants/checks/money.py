"""Each order is charged for what it is: once when it is sold, not at all when it came to nothing."""

from collections.abc import Iterator
from typing import Any, Final

from chaos.invariants.checks.amounts import amount
from chaos.invariants.checks.invariant import Invariant, Mismatch, about
from chaos.invariants.evidence import Evidence
from chaos.invariants.tables import CAPTURED, NOT_CHARGED, Order, Payment


@about(lambda evidence: evidence.confirmed_orders)
def confirmed_order_is_charged_once(evidence: Evidence, order: Order) -> Iterator[Mismatch]:
    """A confirmed order has exactly one payment, which is captured."""
    payments = evidence.payments_by_order.get(order.order_id, ())
    if [each.state for each in payments] != [CAPTURED]:
        yield ", ".join(map(_told, payments)) or "no payment", "one payment, captured"


@about(lambda evidence: evidence.unsold_orders)
def unsold_order_is_not_charged(evidence: Evidence, order: Order) -> Iterator[Mismatch]:
    """A rejected or cancelled order has no payment that is not voided, refunded or declined."""
    for payment in evidence.payments_by_order.get(order.order_id, ()):
        if payment.state not in NOT_CHARGED:
            yield f"order {order.state}, {_told(payment)}", f"no payment, or {', '.join(sorted(NOT_CHARGED))}"


@about(lambda evidence: evidence.payments)
def payment_is_of_the_orders_total(evidence: Evidence, payment: Payment) -> Iterator[Mismatch]:
    """A payment is over exactly its order's total, in its currency."""
    order = evidence.order_by_id.get(payment.order_id)
    if order is None or payment.amount_minor is None:
        return  # the first is for `payment-has-its-order`, the second was voided before it began
    if (payment.amount_minor, payment.currency) != (order.total_minor, order.currency):
        yield _told(payment), f"over {amount(order.total_minor, order.currency)}"


@about(lambda evidence: evidence.payments)
def payment_has_its_order(evidence: Evidence, payment: Payment) -> Iterator[Mismatch]:
    """Every payment has an order."""
    if payment.order_id not in evidence.order_by_id:
        yield f"{_told(payment)}, and no such order", "an order"


def _told(payment: Payment) -> str:
    return f"payment {payment.state} over {amount(payment.amount_minor, payment.currency)}"


INVARIANTS: Final[tuple[Invariant[Any], ...]] = (
    confirmed_order_is_charged_once,
    unsold_order_is_not_charged,
    payment_is_of_the_orders_total,
    payment_has_its_order,
)

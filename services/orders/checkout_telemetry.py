"""Tells telemetry of the progress of orders: a span event and a log line for each move, a counter for checkouts' ends."""

import logging
from collections.abc import Mapping
from types import MappingProxyType

from opentelemetry import trace

from observability import semconv
from observability.metrics import Instruments
from services.contracts.steps import Step
from services.orders.domain import Order

log = logging.getLogger(__name__)

_OUTCOMES: Mapping[str, str] = MappingProxyType(
    {
        "payment-declined": "declined",
        "out-of-stock": "out_of_stock",
        "unknown-product": "unknown_product",
        "inventory-unavailable": "given_up",
        "payment-unavailable": "given_up",
    }
)


class CheckoutTelemetry:
    """A CheckoutListener."""

    def __init__(self, metrics: Instruments) -> None:
        self._metrics = metrics
        for outcome in semconv.CHECKOUT_OUTCOMES:
            metrics.zero(semconv.CHECKOUTS, outcome)

    def stepped(self, order: Order, step: Step) -> None:
        attributes = {semconv.ORDER_ID: order.order_id, semconv.CHECKOUT_STEP: step, semconv.ORDER_STATE: order.state}
        trace.get_current_span().add_event(semconv.EVENT_CHECKOUT_STEP, attributes)
        log.info("order moved", extra={"order_id": order.order_id, "step": step, "state": order.state})

    def turned(self, order: Order) -> None:
        why = order.refusal.reason if order.refusal else "cancelled"
        attributes = {
            semconv.ORDER_ID: order.order_id,
            semconv.CHECKOUT_TURNED_BY: why,
            semconv.ORDER_STATE: order.state,
        }
        trace.get_current_span().add_event(semconv.EVENT_CHECKOUT_TURNED, attributes)
        log.info("order turned back", extra={"order_id": order.order_id, "reason": why, "state": order.state})

    def ended(self, order: Order) -> None:
        trace.get_current_span().set_attribute(semconv.ORDER_ID, order.order_id)
        self._metrics.add(semconv.CHECKOUTS, _outcome(order))


def _outcome(order: Order) -> str:
    if not order.is_final or order.refusal is None:
        return order.status
    return _OUTCOMES.get(order.refusal.reason, "failed")

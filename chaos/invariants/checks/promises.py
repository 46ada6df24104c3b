"""What clients were told is still true."""

from collections.abc import Iterator
from typing import Any, Final

from chaos.invariants.acknowledged import Acknowledged
from chaos.invariants.checks.invariant import Invariant, Mismatch, about
from chaos.invariants.evidence import Evidence
from chaos.invariants.tables import CANCELLED, CONFIRMED, PENDING


@about(lambda evidence: evidence.acknowledged)
def acknowledged_order_exists(evidence: Evidence, told: Acknowledged) -> Iterator[Mismatch]:
    """Every acknowledged order exists and is its user's.

    That it exists *once* is proven by `row-is-unique` and `order-has-one-key`.
    """
    order = evidence.order_by_id.get(told.order_id)
    if order is None:
        yield "no such order", f"an order of {told.user_id}"
    elif order.user_id != told.user_id:
        yield f"an order of {order.user_id}", f"an order of {told.user_id}"


@about(lambda evidence: evidence.acknowledged)
def acknowledged_key_is_one_order(evidence: Evidence, told: Acknowledged) -> Iterator[Mismatch]:
    """The idempotency key of an acknowledged order stands for that order."""
    if told.idempotency_key is None:
        return
    record = evidence.record_by_key.get((told.user_id, told.idempotency_key))
    stands_for = record.order_id if record else "nothing"
    if stands_for != told.order_id:
        yield f"key {told.idempotency_key} of {told.user_id} stands for {stands_for}", f"for {told.order_id}"


@about(lambda evidence: evidence.acknowledged)
def acknowledged_answer_holds(evidence: Evidence, told: Acknowledged) -> Iterator[Mismatch]:
    """What was acknowledged as final still is what it was; only a cancellation changes what was confirmed."""
    order = evidence.order_by_id.get(told.order_id)
    if order is None or told.status == PENDING:
        return
    may_change = told.status == CONFIRMED and told.order_id in evidence.asked_to_cancel
    allowed = {told.status, CANCELLED, PENDING} if may_change else {told.status}
    if order.status not in allowed:
        yield order.state, " or ".join(sorted(allowed))


INVARIANTS: Final[tuple[Invariant[Any], ...]] = (
    acknowledged_order_exists,
    acknowledged_key_is_one_order,
    acknowledged_answer_holds,
)

"""Each order by itself: asked for once, with a total that is right, and not forgotten."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from chaos.invariants.checks.amounts import amount
from chaos.invariants.checks.invariant import Invariant, Mismatch, about
from chaos.invariants.evidence import Evidence
from chaos.invariants.tables import CANCELLED, PENDING, REJECTED, IdempotencyRecord, Order, OrderLine


@about(lambda evidence: evidence.orders)
def order_has_one_key(evidence: Evidence, order: Order) -> Iterator[Mismatch]:
    """Every order was asked for with one idempotency key of its user."""
    records = evidence.records_by_order.get(order.order_id, ())
    if [each.user_id for each in records] != [order.user_id]:
        found = "; ".join(f"key {each.key} of {each.user_id}" for each in records)
        yield found or "no key", f"one key of {order.user_id}"


@about(lambda evidence: evidence.records)
def key_has_its_order(evidence: Evidence, record: IdempotencyRecord) -> Iterator[Mismatch]:
    """Every idempotency key stands for an order."""
    if record.order_id not in evidence.order_by_id:
        yield f"stands for {record.order_id}, and no such order", "an order"


@about(lambda evidence: evidence.orders)
def order_total_is_of_its_lines(evidence: Evidence, order: Order) -> Iterator[Mismatch]:
    """An order's total is the sum of its lines; there is none before all lines have prices."""
    lines = evidence.lines_by_order.get(order.order_id, ())
    unpriced = sum(each.unit_price_minor is None for each in lines)
    currencies = {each.currency for each in lines}
    if not lines:
        yield "no lines", "at least one line"
    elif 0 < unpriced < len(lines):
        yield f"{unpriced} of {len(lines)} lines without a price", "all or none"
    elif len(currencies) > 1:
        yield f"lines in {', '.join(sorted(map(str, currencies)))}", "one currency"
    elif (order.total_minor, order.currency) != (due := _sum(lines)):
        yield amount(order.total_minor, order.currency), f"{amount(*due)}, the sum of its lines"


@about(lambda evidence: evidence.confirmed_orders)
def confirmed_order_has_a_total(_: Evidence, order: Order) -> Iterator[Mismatch]:
    """A confirmed order costs something."""
    if order.total_minor is None or order.total_minor <= 0:
        yield amount(order.total_minor, order.currency), "more than nothing"


@about(lambda evidence: evidence.pending_orders)
def order_is_settled_in_time(evidence: Evidence, order: Order) -> Iterator[Mismatch]:
    """No order is pending for longer than its rule."""
    pending_us = evidence.now_us - order.pending_since_us
    if pending_us > evidence.max_pending_us:
        yield f"{order.state}, pending for {_seconds(pending_us)}", f"final within {_seconds(evidence.max_pending_us)}"


@about(lambda evidence: evidence.orders)
def order_lease_ends(evidence: Evidence, order: Order) -> Iterator[Mismatch]:
    """A final order has no lease, and no other a longer one than it may be pending."""
    if order.leased_until_us is None:
        return
    left_us = order.leased_until_us - evidence.now_us
    if order.status != PENDING:
        yield f"{order.state}, leased for {_seconds(left_us)} from now", "no lease: there is nothing to drive"
    elif left_us > evidence.max_pending_us:
        yield f"leased for {_seconds(left_us)} from now", f"at most {_seconds(evidence.max_pending_us)}"


@about(lambda evidence: evidence.orders)
def order_is_looked_after(_: Evidence, order: Order) -> Iterator[Mismatch]:
    """Until an order is final, there is a time at which the recovery looks after it; then there is none."""
    if (order.due_at_us is None) != (order.status != PENDING):
        found = "never looked after" if order.due_at_us is None else "still to be looked after"
        yield f"{order.state}, {found}", "looked after until it is final"


@about(lambda evidence: evidence.orders)
def order_has_one_ending(_: Evidence, order: Order) -> Iterator[Mismatch]:
    """A rejected order has a reason, a cancelled one was asked to be, a confirmed one neither, and no order both."""
    rejected, cancelled = order.reason is not None, order.cancelled_at_us is not None
    both = rejected and cancelled
    if both or (order.status != PENDING and (rejected, cancelled) != _ENDINGS.get(order.status, (False, False))):
        why = f"reason {order.reason}" if rejected else "no reason"
        yield f"{order.state}, {why}, {'cancelled' if cancelled else 'not cancelled'}", "one ending, which is its state"


_ENDINGS: Final = {REJECTED: (True, False), CANCELLED: (False, True)}


def _sum(lines: Sequence[OrderLine]) -> tuple[int | None, str | None]:
    prices = [each.unit_price_minor * each.quantity for each in lines if each.unit_price_minor is not None]
    return (sum(prices), lines[0].currency) if prices else (None, None)


def _seconds(microseconds: int) -> str:
    return f"{microseconds / 1_000_000:.1f} s"


INVARIANTS: Final[tuple[Invariant[Any], ...]] = (
    order_has_one_key,
    key_has_its_order,
    order_total_is_of_its_lines,
    confirmed_order_has_a_total,
    order_is_settled_in_time,
    order_lease_ends,
    order_is_looked_after,
    order_has_one_ending,
)

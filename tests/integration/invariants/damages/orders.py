"""Damage to orders, their lines and their keys."""

from collections.abc import Mapping
from typing import Final

from chaos.invariants.tables import IdempotencyRecord, Order, OrderLine
from services.orders.repository import idempotency_records, order_lines, orders
from tests.integration.invariants.damages.damage import Damage, add, change, damage, lose
from tests.unit.invariants.stories import CANCELLED, DECLINED, NOW_US, PENDING, SECOND_US, SOLD, SOLD_TOO

_OLD = NOW_US - 61 * SECOND_US
_MANY_KEYS = "key key-of-ord-sold of user-1; key key-of-ord-sold-too of user-2"
_ORDER_AGAIN = Order("ord-again", "user-1", "rejected", None, None, 3, None, NOW_US, "out-of-stock", None, None, None)

ORDERS: Final[Mapping[str, Damage]] = {
    "an order is lost": damage(
        "orders",
        lose(order_lines, SOLD),
        lose(idempotency_records, SOLD),
        lose(orders, SOLD),
        found={
            ("acknowledged-order-exists", "ord-sold", "no such order"),
            ("acknowledged-key-is-one-order", "ord-sold", "key key-of-ord-sold of user-1 stands for nothing"),
            ("payment-has-its-order", "ord-sold", "payment captured over 1250 EUR minor, and no such order"),
            (
                "reservation-has-its-order",
                "ord-sold",
                "confirmed: 2 of p-1 at 500 EUR minor, 1 of p-2 at 250 EUR minor, and no such order",
            ),
        },
    ),
    "an order is another user's": damage(
        "orders",
        change(orders, SOLD, user_id="user-9"),
        found={
            ("acknowledged-order-exists", "ord-sold", "an order of user-9"),
            ("order-has-one-key", "ord-sold", "key key-of-ord-sold of user-1"),
        },
    ),
    "a key stands for another order": damage(
        "orders",
        change(idempotency_records, SOLD_TOO, order_id=SOLD.order_id),
        found={
            ("acknowledged-key-is-one-order", "ord-sold-too", "key key-of-ord-sold-too of user-2 stands for ord-sold"),
            ("order-has-one-key", "ord-sold", _MANY_KEYS),
            ("order-has-one-key", "ord-sold-too", "no key"),
        },
    ),
    "a checkout made a second order": damage(
        "orders",
        add(orders, _ORDER_AGAIN),
        add(order_lines, OrderLine("ord-again", 0, "p-1", 1, None, None)),
        found={("order-has-one-key", "ord-again", "no key")},
    ),
    "a key stands for no order": damage(
        "orders",
        add(idempotency_records, IdempotencyRecord("user-1", "key-1", "ord-none")),
        found={("key-has-its-order", "user-1, key-1", "stands for ord-none, and no such order")},
        lawless=True,
    ),
    "a confirmed order is rejected after all": damage(
        "orders",
        change(orders, SOLD, state="rejected", reason="out-of-stock"),
        found={
            ("acknowledged-answer-holds", "ord-sold", "rejected"),
            (
                "unsold-order-is-not-charged",
                "ord-sold",
                "order rejected, payment captured over 1250 EUR minor",
            ),
            ("unsold-order-holds-no-goods", "ord-sold", "order rejected, reservation confirmed"),
        },
    ),
    "a rejected order is confirmed after all": damage(
        "orders",
        change(orders, DECLINED, state="confirmed", reason=None),
        found={
            ("acknowledged-answer-holds", "ord-declined", "confirmed"),
            ("confirmed-order-is-charged-once", "ord-declined", "payment declined over 500 EUR minor"),
            ("confirmed-order-has-its-goods", "ord-declined", "reservation released"),
        },
    ),
    "a total is wrong": damage(
        "orders",
        change(orders, SOLD, total_minor=1249),
        found={
            ("order-total-is-of-its-lines", "ord-sold", "1249 EUR minor"),
            ("payment-is-of-the-orders-total", "ord-sold", "payment captured over 1250 EUR minor"),
        },
    ),
    "a confirmed order has no total": damage(
        "orders",
        change(orders, SOLD, total_minor=None),
        found={
            ("order-total-is-of-its-lines", "ord-sold", "nothing"),
            ("confirmed-order-has-a-total", "ord-sold", "nothing"),
            ("payment-is-of-the-orders-total", "ord-sold", "payment captured over 1250 EUR minor"),
        },
        lawless=True,
    ),
    "a line has other pieces": damage(
        "orders",
        change(order_lines, SOLD, 0, quantity=3),
        found={
            ("order-total-is-of-its-lines", "ord-sold", "1250 EUR minor"),
            (
                "reservation-is-of-the-orders-lines",
                "ord-sold",
                "confirmed: 2 of p-1 at 500 EUR minor, 1 of p-2 at 250 EUR minor",
            ),
        },
    ),
    "a line is lost": damage(
        "orders",
        lose(order_lines, DECLINED),
        found={
            ("order-total-is-of-its-lines", "ord-declined", "no lines"),
            ("reservation-is-of-the-orders-lines", "ord-declined", "released: 1 of p-1 at 500 EUR minor"),
        },
    ),
    "a line has no price": damage(
        "orders",
        change(order_lines, SOLD, 1, unit_price_minor=None, currency=None),
        found={
            ("order-total-is-of-its-lines", "ord-sold", "1 of 2 lines without a price"),
            (
                "reservation-is-of-the-orders-lines",
                "ord-sold",
                "confirmed: 2 of p-1 at 500 EUR minor, 1 of p-2 at 250 EUR minor",
            ),
        },
    ),
    "lines are in two currencies": damage(
        "orders",
        change(order_lines, SOLD, 1, currency="USD"),
        found={
            ("order-total-is-of-its-lines", "ord-sold", "lines in EUR, USD"),
            (
                "reservation-is-of-the-orders-lines",
                "ord-sold",
                "confirmed: 2 of p-1 at 500 EUR minor, 1 of p-2 at 250 EUR minor",
            ),
        },
    ),
    "an order is forgotten": damage(
        "orders",
        change(orders, PENDING, created_at_us=_OLD, updated_at_us=NOW_US),
        found={("order-is-settled-in-time", "ord-pending", "authorized, pending for 61.0 s")},
    ),
    "a final order has a lease": damage(
        "orders",
        change(orders, SOLD, leased_until_us=NOW_US + SECOND_US),
        found={("order-lease-ends", "ord-sold", "confirmed, leased for 1.0 s from now")},
    ),
    "a lease is too long": damage(
        "orders",
        change(orders, PENDING, leased_until_us=NOW_US + 3600 * SECOND_US),
        found={("order-lease-ends", "ord-pending", "leased for 3600.0 s from now")},
    ),
    "an order is looked after by nobody": damage(
        "orders",
        change(orders, PENDING, due_at_us=None),
        found={("order-is-looked-after", "ord-pending", "authorized, never looked after")},
    ),
    "a final order is looked after for ever": damage(
        "orders",
        change(orders, DECLINED, due_at_us=NOW_US),
        found={("order-is-looked-after", "ord-declined", "rejected, still to be looked after")},
    ),
    "an order that was given up is charged": damage(
        "orders",
        change(orders, SOLD, state="rejected", reason="payment-unavailable"),
        found={
            ("acknowledged-answer-holds", "ord-sold", "rejected"),
            ("unsold-order-is-not-charged", "ord-sold", "order rejected, payment captured over 1250 EUR minor"),
            ("unsold-order-holds-no-goods", "ord-sold", "order rejected, reservation confirmed"),
        },
    ),
    "a cancelled order was asked to be by nobody": damage(
        "orders",
        change(orders, CANCELLED, cancelled_at_us=None),
        found={("order-has-one-ending", "ord-cancelled", "cancelled, no reason, not cancelled")},
    ),
    "a confirmed order is cancelled, and nothing came of it": damage(
        "orders",
        change(orders, SOLD, cancelled_at_us=NOW_US),
        found={("order-has-one-ending", "ord-sold", "confirmed, no reason, cancelled")},
    ),
    "an order is cancelled and given up": damage(
        "orders",
        change(orders, PENDING, cancelled_at_us=NOW_US, reason="payment-unavailable"),
        found={("order-has-one-ending", "ord-pending", "authorized, reason payment-unavailable, cancelled")},
        lawless=True,
    ),
    "an order is there twice": damage(
        "orders",
        add(orders, SOLD.order()),
        found={("row-is-unique", "orders ord-sold", "2 rows")},
        lawless=True,
    ),
    "a key is there twice": damage(
        "orders",
        add(idempotency_records, IdempotencyRecord("user-1", SOLD.key, SOLD.order_id)),
        found={
            ("row-is-unique", "idempotency_records user-1, key-of-ord-sold", "2 rows"),
            ("order-has-one-key", "ord-sold", "; ".join(["key key-of-ord-sold of user-1"] * 2)),
        },
        lawless=True,
    ),
    "a line has no order": damage(
        "orders",
        add(order_lines, OrderLine("ord-none", 0, "p-1", 1, None, None)),
        found={("order-line-has-its-order", "ord-none, 0", "1 of p-1, and no such order")},
        lawless=True,
    ),
    "a line has no pieces": damage(
        "orders",
        add(order_lines, OrderLine(DECLINED.order_id, 1, "p-2", 0, 250, "EUR")),
        found={
            ("line-has-pieces", "ord-declined, 1", "0 of p-2"),
            ("reservation-is-of-the-orders-lines", "ord-declined", "released: 1 of p-1 at 500 EUR minor"),
        },
        lawless=True,
    ),
}

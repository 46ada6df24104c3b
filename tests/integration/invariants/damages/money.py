"""Damage to payments."""

from collections.abc import Mapping
from typing import Final

from chaos.invariants.tables import Payment
from services.payments.repository import payments
from tests.integration.invariants.damages.damage import Damage, add, change, damage, lose
from tests.unit.invariants.stories import CANCELLED, DECLINED, SOLD

MONEY: Final[Mapping[str, Damage]] = {
    "a payment is lost": damage(
        "payments",
        lose(payments, SOLD),
        found={("confirmed-order-is-charged-once", "ord-sold", "no payment")},
    ),
    "a confirmed order was never charged": damage(
        "payments",
        change(payments, SOLD, state="authorized"),
        found={("confirmed-order-is-charged-once", "ord-sold", "payment authorized over 1250 EUR minor")},
    ),
    "a confirmed order is left capturing": damage(
        "payments",
        change(payments, SOLD, state="capturing"),
        found={("confirmed-order-is-charged-once", "ord-sold", "payment capturing over 1250 EUR minor")},
    ),
    "a confirmed order was given its money back": damage(
        "payments",
        change(payments, SOLD, state="refunded"),
        found={("confirmed-order-is-charged-once", "ord-sold", "payment refunded over 1250 EUR minor")},
    ),
    "a charge is too high": damage(
        "payments",
        change(payments, SOLD, amount_minor=1251),
        found={("payment-is-of-the-orders-total", "ord-sold", "payment captured over 1251 EUR minor")},
    ),
    "a charge is in another currency": damage(
        "payments",
        change(payments, SOLD, currency="USD"),
        found={("payment-is-of-the-orders-total", "ord-sold", "payment captured over 1250 USD minor")},
    ),
    "a rejected order is charged": damage(
        "payments",
        change(payments, DECLINED, state="captured"),
        found={
            ("unsold-order-is-not-charged", "ord-declined", "order rejected, payment captured over 500 EUR minor"),
        },
    ),
    "a rejected order is left authorizing": damage(
        "payments",
        change(payments, DECLINED, state="authorizing"),
        found={
            ("unsold-order-is-not-charged", "ord-declined", "order rejected, payment authorizing over 500 EUR minor"),
        },
    ),
    "a cancelled order is left capturing": damage(
        "payments",
        change(payments, CANCELLED, state="capturing"),
        found={
            ("unsold-order-is-not-charged", "ord-cancelled", "order cancelled, payment capturing over 500 EUR minor"),
        },
    ),
    "a cancelled order waits for its refund": damage(
        "payments",
        change(payments, CANCELLED, state="refunding"),
        found={
            ("unsold-order-is-not-charged", "ord-cancelled", "order cancelled, payment refunding over 500 EUR minor"),
        },
    ),
    "a payment has no order": damage(
        "payments",
        add(payments, Payment("ord-nobody", "captured", 500, "EUR")),
        found={("payment-has-its-order", "ord-nobody", "payment captured over 500 EUR minor, and no such order")},
    ),
    "an order is charged twice": damage(
        "payments",
        add(payments, Payment(SOLD.order_id, "captured", 1250, "EUR")),
        found={
            ("row-is-unique", "payments ord-sold", "2 rows"),
            (
                "confirmed-order-is-charged-once",
                "ord-sold",
                "payment captured over 1250 EUR minor, payment captured over 1250 EUR minor",
            ),
        },
        lawless=True,
    ),
}

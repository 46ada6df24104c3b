"""Damage to stock and reservations."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Executable, update

from chaos.invariants.tables import Product, Reservation, ReservationLine
from services.inventory.repository import products, reservation_lines, reservations
from tests.integration.invariants.damages.damage import Damage, add, change, damage, lose
from tests.unit.invariants.stories import DECLINED, SOLD, SOLD_TOO


def stock(product_id: str, **values: Any) -> Executable:
    return update(products).where(products.c.product_id == product_id).values(values)


_NOBODYS = Reservation("ord-nobody", "held")
_NOBODYS_LINE = ReservationLine("ord-nobody", 0, "p-1", 1, 500, "EUR")
_ODD_LINE = ReservationLine("ord-nobody", 0, "p-9", 1, 500, "EUR")

GOODS: Final[Mapping[str, Damage]] = {
    "a reservation is lost": damage(
        "inventory",
        lose(reservation_lines, SOLD_TOO),
        lose(reservations, SOLD_TOO),
        found={
            ("confirmed-order-has-its-goods", "ord-sold-too", "no reservation"),
            ("stock-is-conserved", "p-2", "5 available + 0 held + 1 confirmed = 6"),
        },
    ),
    "a confirmed order's goods are only held": damage(
        "inventory",
        change(reservations, SOLD, state="held"),
        found={("confirmed-order-has-its-goods", "ord-sold", "reservation held")},
    ),
    "a confirmed order's goods are released": damage(
        "inventory",
        change(reservations, SOLD_TOO, state="released"),
        stock("p-2", available=8),
        found={("confirmed-order-has-its-goods", "ord-sold-too", "reservation released")},
    ),
    "released goods are not given back": damage(
        "inventory",
        change(reservations, SOLD_TOO, state="released"),
        found={
            ("confirmed-order-has-its-goods", "ord-sold-too", "reservation released"),
            ("stock-is-conserved", "p-2", "5 available + 0 held + 1 confirmed = 6"),
        },
    ),
    "a rejected order holds goods": damage(
        "inventory",
        change(reservations, DECLINED, state="held"),
        stock("p-1", available=4),
        found={("unsold-order-holds-no-goods", "ord-declined", "order rejected, reservation held")},
    ),
    "goods are given back twice": damage(
        "inventory",
        stock("p-1", available=6),
        found={("stock-is-conserved", "p-1", "6 available + 1 held + 2 confirmed = 9")},
    ),
    "more is reserved than was asked for": damage(
        "inventory",
        change(reservation_lines, SOLD, 1, quantity=2),
        stock("p-2", available=4),
        found={
            (
                "reservation-is-of-the-orders-lines",
                "ord-sold",
                "confirmed: 2 of p-1 at 500 EUR minor, 2 of p-2 at 250 EUR minor",
            ),
        },
    ),
    "goods are reserved at another price": damage(
        "inventory",
        change(reservation_lines, SOLD_TOO, unit_price_minor=249),
        found={("reservation-is-of-the-orders-lines", "ord-sold-too", "confirmed: 3 of p-2 at 249 EUR minor")},
    ),
    "a part of the goods is lost": damage(
        "inventory",
        lose(reservation_lines, SOLD, 1),
        found={
            ("reservation-is-of-the-orders-lines", "ord-sold", "confirmed: 2 of p-1 at 500 EUR minor"),
            ("stock-is-conserved", "p-2", "5 available + 0 held + 3 confirmed = 8"),
        },
    ),
    "goods are held for nobody": damage(
        "inventory",
        add(reservations, _NOBODYS),
        add(reservation_lines, _NOBODYS_LINE),
        stock("p-1", available=4),
        found={("reservation-has-its-order", "ord-nobody", "held: 1 of p-1 at 500 EUR minor, and no such order")},
    ),
    "more was sold than there was": damage(
        "inventory",
        stock("p-1", available=-3, initial_stock=0),
        found={("stock-is-not-negative", "p-1", "-3 available")},
        lawless=True,
    ),
    "a reservation is there twice": damage(
        "inventory",
        add(reservations, Reservation(SOLD_TOO.order_id, "confirmed")),
        found={
            ("row-is-unique", "reservations ord-sold-too", "2 rows"),
            ("confirmed-order-has-its-goods", "ord-sold-too", "reservation confirmed, confirmed"),
            ("stock-is-conserved", "p-2", "5 available + 0 held + 7 confirmed = 12"),
        },
        lawless=True,
    ),
    "a product is there twice": damage(
        "inventory",
        add(products, Product("p-1", 8, 5)),
        found={("row-is-unique", "products p-1", "2 rows")},
        lawless=True,
    ),
    "a reserved line is of nothing": damage(
        "inventory",
        add(reservation_lines, _ODD_LINE),
        found={
            ("reserved-line-has-its-reservation", "ord-nobody, 0", "1 of p-9, and no such reservation"),
            ("reserved-line-has-its-reservation", "ord-nobody, 0", "1 of p-9, and no such product"),
        },
        lawless=True,
    ),
}

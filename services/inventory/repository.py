"""Catalogue, stock and reservations in SQL.

The tables are a contract too: the invariants of a finished run are proven from their columns.
Amounts are in the smallest unit, times in microseconds since 1970 in UTC.
"""

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, TypeVar

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    insert,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from services.chassis.database import Database
from services.chassis.errors import FieldError
from services.contracts.money.money import Money
from services.inventory.domain import Product, Refusal, Reservation, ReservationState, ReservedLine
from services.inventory.ports import Stock

T = TypeVar("T")

metadata = MetaData()

products = Table(
    "products",
    metadata,
    Column("product_id", String(64), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("price_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    # What was there at the start: at every moment initial_stock = available + held + confirmed.
    Column("initial_stock", BigInteger, nullable=False),
    Column("available", BigInteger, nullable=False),
    CheckConstraint("available >= 0", name="stock_never_negative"),
)

reservations = Table(
    "reservations",
    metadata,
    Column("order_id", String(64), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("created_at_us", BigInteger, nullable=False),
    Column("expires_at_us", BigInteger, nullable=False),
    Column("refusal", Text),  # JSON: slug, detail and errors, so that the same answer can be given again
    CheckConstraint("state IN ('held', 'confirmed', 'released')", name="known_state"),
    CheckConstraint("refusal IS NULL OR state = 'released'", name="refused_holds_nothing"),
    Index("reservations_by_expiry", "state", "expires_at_us"),
)

reservation_lines = Table(
    "reservation_lines",
    metadata,
    Column("order_id", ForeignKey(reservations.c.order_id), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("product_id", ForeignKey(products.c.product_id), nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("unit_price_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    CheckConstraint("quantity > 0", name="something_reserved"),
)


class SqlStockStore:
    """A StockStore over SQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, operation: str, work: Callable[[Stock], Awaitable[T]]) -> T:
        return await self._database.read(operation, lambda session: work(SqlStock(session, may_lock=False)))

    async def write(self, operation: str, work: Callable[[Stock], Awaitable[T]]) -> T:
        return await self._database.write(operation, lambda session: work(SqlStock(session)))


class SqlStock:
    """A Stock within the transaction of `session`; with `may_lock`, what it may change is locked."""

    def __init__(self, session: AsyncSession, *, may_lock: bool = True) -> None:
        self._session, self._may_lock = session, may_lock

    async def products_after(self, product_id: str, limit: int) -> Sequence[Product]:
        after = products.c.product_id > product_id
        found = await self._session.execute(select(products).where(after).order_by(products.c.product_id).limit(limit))
        return [_product(row) for row in found.mappings()]

    async def products(self, product_ids: Iterable[str]) -> dict[str, Product]:
        found = await self._session.execute(select(products).where(products.c.product_id.in_(list(product_ids))))
        return {row["product_id"]: _product(row) for row in found.mappings()}

    async def add_products(self, products_: Sequence[Product]) -> None:
        await self._insert_new(products, [_product_values(each) for each in products_])

    async def reservation(self, order_id: str) -> Reservation | None:
        # The lock matters to PostgreSQL; in SQLite the whole transaction is one.
        header = select(reservations).where(reservations.c.order_id == order_id)
        if self._may_lock:
            header = header.with_for_update()
        found = await self._with_lines((await self._session.execute(header)).mappings().all())
        return found[0] if found else None

    async def add_reservation(self, reservation: Reservation) -> bool:
        added = await self._insert_new(reservations, [_reservation_values(reservation)])
        if added and reservation.lines:
            await self._session.execute(insert(reservation_lines), _line_values(reservation))
        return added

    async def take(self, product_id: str, quantity: int) -> bool:
        enough = (products.c.product_id == product_id) & (products.c.available >= quantity)
        less = update(products).where(enough).values(available=products.c.available - quantity)
        return bool((await self._session.execute(less.returning(products.c.product_id))).all())

    async def give_back(self, product_id: str, quantity: int) -> None:
        more = update(products).where(products.c.product_id == product_id)
        await self._session.execute(more.values(available=products.c.available + quantity))

    async def expired(self, now_us: int, limit: int) -> Sequence[Reservation]:
        due = (reservations.c.state == ReservationState.HELD) & (reservations.c.expires_at_us <= now_us)
        first = select(reservations).where(due).order_by(reservations.c.expires_at_us).limit(limit)
        if self._may_lock:
            first = first.with_for_update(skip_locked=True)
        return await self._with_lines((await self._session.execute(first)).mappings().all())

    async def save(self, reservation: Reservation, before: ReservationState) -> None:
        there = (reservations.c.order_id == reservation.order_id) & (reservations.c.state == before)
        changed = update(reservations).where(there).values(_changing(reservation))
        (await self._session.execute(changed.returning(reservations.c.order_id))).one()

    async def _with_lines(self, rows: Sequence[RowMapping]) -> list[Reservation]:
        if not rows:
            return []
        by_order: dict[str, list[RowMapping]] = {row["order_id"]: [] for row in rows}
        of_orders = reservation_lines.c.order_id.in_(list(by_order))
        lines = select(reservation_lines).where(of_orders).order_by(reservation_lines.c.position)
        for line in (await self._session.execute(lines)).mappings():
            by_order[line["order_id"]].append(line)
        return [_reservation(row, by_order[row["order_id"]]) for row in rows]

    async def _insert_new(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> bool:
        """Inserts the rows whose keys are new; says whether there was any."""
        dialect = postgresql if self._session.get_bind().dialect.name == "postgresql" else sqlite
        new = dialect.insert(table).values(rows).on_conflict_do_nothing()
        return bool((await self._session.execute(new.returning(*table.primary_key))).all())


def _product(row: RowMapping) -> Product:
    price = Money(row["price_minor"], row["currency"])
    return Product(row["product_id"], row["name"], price, row["available"])


def _product_values(product: Product) -> dict[str, Any]:
    return {
        "product_id": product.product_id,
        "name": product.name,
        "price_minor": product.price.amount_minor,
        "currency": product.price.currency,
        "initial_stock": product.available,
        "available": product.available,
    }


def _reservation(row: RowMapping, lines: Sequence[RowMapping]) -> Reservation:
    reserved = tuple(
        ReservedLine(each["product_id"], each["quantity"], Money(each["unit_price_minor"], each["currency"]))
        for each in lines
    )
    state = ReservationState(row["state"])
    times = (row["created_at_us"], row["expires_at_us"])
    return Reservation(row["order_id"], state, reserved, *times, refusal=_refusal(row["refusal"]))


def _refusal(text: str | None) -> Refusal | None:
    if text is None:
        return None
    said = json.loads(text)
    return Refusal(said["slug"], said["detail"], tuple(FieldError(**each) for each in said["errors"]))


def _reservation_values(reservation: Reservation) -> dict[str, Any]:
    return {
        "order_id": reservation.order_id,
        "created_at_us": reservation.created_at_us,
        **_changing(reservation),
    }


def _changing(reservation: Reservation) -> dict[str, Any]:
    return {
        "state": reservation.state,
        "expires_at_us": reservation.expires_at_us,
        "refusal": json.dumps(asdict(reservation.refusal)) if reservation.refusal else None,
    }


def _line_values(reservation: Reservation) -> list[dict[str, Any]]:
    return [
        {
            "order_id": reservation.order_id,
            "position": position,
            "product_id": line.product_id,
            "quantity": line.quantity,
            "unit_price_minor": line.unit_price.amount_minor,
            "currency": line.unit_price.currency,
        }
        for position, line in enumerate(reservation.lines)
    ]

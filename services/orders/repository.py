"""Orders in SQL.

The tables are a contract too: the invariants of a finished run are proven from their columns.
Amounts are in the smallest unit, times in microseconds since 1970 in UTC.
"""

import json
from collections.abc import Awaitable, Callable, Sequence
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
    bindparam,
    insert,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from services.chassis.database import Database
from services.chassis.errors import FieldError
from services.contracts.money.money import Money
from services.orders.domain import PREDECESSORS, IdempotencyRecord, Order, OrderLine, OrderState, Refusal
from services.orders.ports import Orders

T = TypeVar("T")

metadata = MetaData()

_STATES = ", ".join(f"'{state}'" for state in OrderState)

orders = Table(
    "orders",
    metadata,
    Column("order_id", String(64), primary_key=True),
    Column("user_id", String(64), nullable=False),
    Column("client_id", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("payment_method", String(64), nullable=False),
    Column("total_minor", BigInteger),
    Column("currency", String(3)),
    Column("reason", String(64)),
    Column("refusal", Text),  # JSON: the problem's detail and errors, so that the same answer can be given again
    Column("reserved_until_us", BigInteger),
    Column("confirmed_at_us", BigInteger),
    Column("cancelled_at_us", BigInteger),
    Column("version", BigInteger, nullable=False),
    Column("leased_until_us", BigInteger),
    Column("due_at_us", BigInteger),  # NULL once it is final
    Column("failures", Integer, nullable=False),
    Column("origin", String(64), nullable=False),
    Column("created_at_us", BigInteger, nullable=False),
    Column("updated_at_us", BigInteger, nullable=False),
    CheckConstraint(f"state IN ({_STATES})", name="known_state"),
    CheckConstraint("state <> 'confirmed' OR (total_minor > 0 AND reason IS NULL)", name="confirmed_is_paid"),
    CheckConstraint("state <> 'rejected' OR reason IS NOT NULL", name="rejected_has_reason"),
    CheckConstraint("reason IS NULL OR cancelled_at_us IS NULL", name="one_ending"),
    Index("orders_of_user", "user_id", "created_at_us", "order_id"),
)

# Only of the orders that are not final, few among many.
_PENDING = orders.c.due_at_us.is_not(None)
Index("orders_due", orders.c.due_at_us, sqlite_where=_PENDING, postgresql_where=_PENDING)

order_lines = Table(
    "order_lines",
    metadata,
    Column("order_id", ForeignKey(orders.c.order_id), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("product_id", String(64), nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("unit_price_minor", BigInteger),
    Column("currency", String(3)),
    CheckConstraint("quantity > 0", name="something_ordered"),
)

idempotency_records = Table(
    "idempotency_records",
    metadata,
    Column("user_id", String(64), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    # Checked at commit: the record is inserted first, because it decides whether there is to be an order.
    Column("order_id", ForeignKey(orders.c.order_id, deferrable=True, initially="DEFERRED"), nullable=False),
    Column("created_at_us", BigInteger, nullable=False),
)


_PRICE_LINE = (
    update(order_lines)
    .where(
        (order_lines.c.order_id == bindparam("new_order_id")) & (order_lines.c.position == bindparam("new_position"))
    )
    .values(unit_price_minor=bindparam("new_unit_price_minor"), currency=bindparam("new_currency"))
)


class SqlOrderStore:
    """An OrderStore over SQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, operation: str, work: Callable[[Orders], Awaitable[T]]) -> T:
        return await self._database.read(operation, lambda session: work(SqlOrders(session, may_lock=False)))

    async def write(self, operation: str, work: Callable[[Orders], Awaitable[T]]) -> T:
        return await self._database.write(operation, lambda session: work(SqlOrders(session)))


class SqlOrders:
    """Orders within the transaction of `session`; with `may_lock`, what it may change is locked."""

    def __init__(self, session: AsyncSession, *, may_lock: bool = True) -> None:
        self._session, self._may_lock = session, may_lock

    async def add(self, order: Order, record: IdempotencyRecord) -> bool:
        dialect = postgresql if self._session.get_bind().dialect.name == "postgresql" else sqlite
        new = dialect.insert(idempotency_records).values(asdict(record)).on_conflict_do_nothing()
        if not (await self._session.execute(new.returning(idempotency_records.c.key))).all():
            return False
        await self._session.execute(insert(orders).values(_values(order)))
        await self._session.execute(insert(order_lines), _line_values(order))
        return True

    async def record(self, user_id: str, key: str) -> IdempotencyRecord | None:
        mine = (idempotency_records.c.user_id == user_id) & (idempotency_records.c.key == key)
        found = (await self._session.execute(select(idempotency_records).where(mine))).mappings().one_or_none()
        return IdempotencyRecord(**found) if found else None

    async def get(self, order_id: str) -> Order | None:
        # The lock matters to PostgreSQL; in SQLite the whole transaction is one.
        one = select(orders).where(orders.c.order_id == order_id)
        if self._may_lock:
            one = one.with_for_update()
        found = await self._with_lines((await self._session.execute(one)).mappings().all())
        return found[0] if found else None

    async def save(self, order: Order) -> bool:
        there = (orders.c.order_id == order.order_id) & (orders.c.version == order.version - 1)
        possible = orders.c.state.in_(sorted(PREDECESSORS[order.state]))
        changed = update(orders).where(there & possible).values(_changing(order)).returning(orders.c.order_id)
        if not (await self._session.execute(changed)).all():
            return False
        if order.state is OrderState.RESERVED:
            await self._save_prices(order)
        return True

    async def of_user(self, user_id: str, before: tuple[int, str] | None, limit: int) -> Sequence[Order]:
        position = tuple_(orders.c.created_at_us, orders.c.order_id)
        mine = select(orders).where(orders.c.user_id == user_id)
        if before:
            mine = mine.where(position < before)
        newest = mine.order_by(orders.c.created_at_us.desc(), orders.c.order_id.desc()).limit(limit)
        return await self._with_lines((await self._session.execute(newest)).mappings().all())

    async def due(self, now_us: int, limit: int) -> Sequence[Order]:
        longest = select(orders).where(orders.c.due_at_us <= now_us).order_by(orders.c.due_at_us).limit(limit)
        return await self._with_lines((await self._session.execute(longest)).mappings().all())

    async def hasten(self, now_us: int) -> None:
        left_alone = (orders.c.due_at_us > now_us) & orders.c.leased_until_us.is_(None)
        await self._session.execute(update(orders).where(left_alone).values(due_at_us=now_us))

    async def _save_prices(self, order: Order) -> None:
        rows = [{f"new_{name}": value for name, value in values.items()} for values in _line_values(order)]
        await (await self._session.connection()).execute(_PRICE_LINE, rows)

    async def _with_lines(self, rows: Sequence[RowMapping]) -> list[Order]:
        if not rows:
            return []
        ids = [row["order_id"] for row in rows]
        lines = select(order_lines).where(order_lines.c.order_id.in_(ids)).order_by(order_lines.c.position)
        by_order: dict[str, list[OrderLine]] = {each: [] for each in ids}
        for line in (await self._session.execute(lines)).mappings():
            by_order[line["order_id"]].append(_line(line))
        return [_order(row, by_order[row["order_id"]]) for row in rows]


def _order(row: RowMapping, lines: Sequence[OrderLine]) -> Order:
    return Order(
        order_id=row["order_id"],
        user_id=row["user_id"],
        client_id=row["client_id"],
        state=OrderState(row["state"]),
        lines=tuple(lines),
        payment_method=row["payment_method"],
        created_at_us=row["created_at_us"],
        updated_at_us=row["updated_at_us"],
        refusal=_refusal(row),
        reserved_until_us=row["reserved_until_us"],
        confirmed_at_us=row["confirmed_at_us"],
        cancelled_at_us=row["cancelled_at_us"],
        leased_until_us=row["leased_until_us"],
        due_at_us=row["due_at_us"],
        failures=row["failures"],
        origin=row["origin"],
        version=row["version"],
    )


def _refusal(row: RowMapping) -> Refusal | None:
    if row["reason"] is None:
        return None
    said = json.loads(row["refusal"])
    return Refusal(row["reason"], said["detail"], tuple(FieldError(**each) for each in said["errors"]))


def _line(row: RowMapping) -> OrderLine:
    price = None if row["unit_price_minor"] is None else Money(row["unit_price_minor"], row["currency"])
    return OrderLine(row["product_id"], row["quantity"], price)


def _values(order: Order) -> dict[str, Any]:
    return {
        "order_id": order.order_id,
        "user_id": order.user_id,
        "client_id": order.client_id,
        "payment_method": order.payment_method,
        "created_at_us": order.created_at_us,
        "origin": order.origin,
        **_changing(order),
    }


def _changing(order: Order) -> dict[str, Any]:
    """What may change after the order was placed, and nothing else.

    SQLite goes by what is set: for a key it looks up all that refers to it, for a column of an index it writes that anew.
    """
    return {
        "state": order.state,
        "total_minor": order.total.amount_minor if order.total else None,
        "currency": order.total.currency if order.total else None,
        "reason": order.refusal.reason if order.refusal else None,
        "refusal": _refusal_text(order.refusal) if order.refusal else None,
        "reserved_until_us": order.reserved_until_us,
        "confirmed_at_us": order.confirmed_at_us,
        "cancelled_at_us": order.cancelled_at_us,
        "version": order.version,
        "leased_until_us": order.leased_until_us,
        "due_at_us": order.due_at_us,
        "failures": order.failures,
        "updated_at_us": order.updated_at_us,
    }


def _refusal_text(refusal: Refusal) -> str:
    return json.dumps({"detail": refusal.detail, "errors": [asdict(each) for each in refusal.errors]})


def _line_values(order: Order) -> list[dict[str, Any]]:
    return [
        {
            "order_id": order.order_id,
            "position": position,
            "product_id": line.product_id,
            "quantity": line.quantity,
            "unit_price_minor": line.unit_price.amount_minor if line.unit_price else None,
            "currency": line.unit_price.currency if line.unit_price else None,
        }
        for position, line in enumerate(order.lines)
    ]

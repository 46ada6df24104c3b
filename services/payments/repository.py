"""Payments in SQL.

The table is a contract too: the invariants of a finished run are proven from its columns.
Amounts are in the smallest unit, times in microseconds since 1970 in UTC.
"""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from sqlalchemy import BigInteger, CheckConstraint, Column, MetaData, String, Table, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from services.chassis.database import Database
from services.contracts.money.money import Money
from services.payments.domain import Payment, PaymentState
from services.payments.ports import Payments

T = TypeVar("T")

metadata = MetaData()

_STATES = ", ".join(f"'{state}'" for state in PaymentState)

payments = Table(
    "payments",
    metadata,
    Column("order_id", String(64), primary_key=True),  # so that an order has one charge at most
    Column("state", String(16), nullable=False),
    Column("amount_minor", BigInteger),
    Column("currency", String(3)),
    Column("payment_method", String(64), nullable=False),
    Column("created_at_us", BigInteger, nullable=False),
    Column("updated_at_us", BigInteger, nullable=False),
    CheckConstraint(f"state IN ({_STATES})", name="known_state"),
    CheckConstraint("amount_minor > 0", name="something_charged"),
    CheckConstraint("state = 'voided' OR amount_minor IS NOT NULL", name="amount_known"),
)


class SqlPaymentStore:
    """A PaymentStore over SQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, operation: str, work: Callable[[Payments], Awaitable[T]]) -> T:
        return await self._database.read(operation, lambda session: work(SqlPayments(session, may_lock=False)))

    async def write(self, operation: str, work: Callable[[Payments], Awaitable[T]]) -> T:
        return await self._database.write(operation, lambda session: work(SqlPayments(session)))


class SqlPayments:
    """Payments within the transaction of `session`; with `may_lock`, what it may change is locked."""

    def __init__(self, session: AsyncSession, *, may_lock: bool = True) -> None:
        self._session, self._may_lock = session, may_lock

    async def get(self, order_id: str) -> Payment | None:
        # The lock matters to PostgreSQL; in SQLite the whole transaction is one.
        of_order = select(payments).where(payments.c.order_id == order_id)
        if self._may_lock:
            of_order = of_order.with_for_update()
        found = (await self._session.execute(of_order)).mappings().one_or_none()
        return _payment(found) if found else None

    async def add(self, payment: Payment) -> bool:
        dialect = postgresql if self._session.get_bind().dialect.name == "postgresql" else sqlite
        new = dialect.insert(payments).values(_values(payment)).on_conflict_do_nothing()
        return bool((await self._session.execute(new.returning(payments.c.order_id))).all())

    async def move(self, payment: Payment, before: PaymentState) -> bool:
        there = (payments.c.order_id == payment.order_id) & (payments.c.state == before)
        moved = update(payments).where(there).values(state=payment.state, updated_at_us=payment.updated_at_us)
        return bool((await self._session.execute(moved.returning(payments.c.order_id))).all())


def _payment(row: RowMapping) -> Payment:
    amount = None if row["amount_minor"] is None else Money(row["amount_minor"], row["currency"])
    state = PaymentState(row["state"])
    times = (row["created_at_us"], row["updated_at_us"])
    return Payment(row["order_id"], state, amount, row["payment_method"], *times)


def _values(payment: Payment) -> dict[str, Any]:
    return {
        "order_id": payment.order_id,
        "state": payment.state,
        "amount_minor": payment.amount.amount_minor if payment.amount else None,
        "currency": payment.amount.currency if payment.amount else None,
        "payment_method": payment.payment_method,
        "created_at_us": payment.created_at_us,
        "updated_at_us": payment.updated_at_us,
    }

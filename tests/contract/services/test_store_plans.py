"""Pages and searches go by an index, in either database, however much is stored: what they ask is explained."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import Select, Update, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.chassis.database import Database
from services.inventory import repository as inventory
from services.inventory.repository import SqlStock
from services.orders import repository as orders
from services.orders.repository import SqlOrders
from tests.contract.services.conftest import OpenDatabase
from tests.contract.services.running import running

ROWS = 5000

NUMBERS = {
    "sqlite": f"WITH RECURSIVE g(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM g WHERE n < {ROWS})",
    "postgresql": f"WITH g(n) AS (SELECT generate_series(1, {ROWS}))",
}

# One order in a hundred is not final, one reservation in ten is held; each user has 500 orders.
FILL_ORDERS = """
    INSERT INTO orders (order_id, user_id, client_id, state, payment_method, total_minor, currency, version,
                        due_at_us, failures, origin, created_at_us, updated_at_us)
    {numbers} SELECT 'ord_' || n, 'user_' || (n % 10), 'tests', CASE n % 100 WHEN 0 THEN 'created' ELSE 'confirmed' END,
                     'pm', 5, 'EUR', 1, CASE n % 100 WHEN 0 THEN n END, 0, '', n, n FROM g
"""
FILL_PRODUCTS = """
    INSERT INTO products (product_id, name, price_minor, currency, initial_stock, available)
    {numbers} SELECT 'p-' || n, 'any', 5, 'EUR', 5, 5 FROM g
"""
FILL_RESERVATIONS = """
    INSERT INTO reservations (order_id, state, created_at_us, expires_at_us)
    {numbers} SELECT 'ord_' || n, CASE n % 10 WHEN 0 THEN 'held' ELSE 'confirmed' END, n, n FROM g
"""

Ask = Callable[[AsyncSession], Awaitable[object]]


class Explaining(AsyncSession):
    """Keeps the plan of each SELECT and UPDATE."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.plans: list[str] = []

    async def execute(self, statement: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(statement, Select | Update):
            self.plans.append(await self._plan(statement))
        return await super().execute(statement, *args, **kwargs)

    async def _plan(self, statement: Any) -> str:
        dialect = self.get_bind().dialect
        explain = "EXPLAIN QUERY PLAN" if dialect.name == "sqlite" else "EXPLAIN"
        asked = statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True})
        rows = await super().execute(text(f"{explain} {asked}"))
        return "\n".join(str(row[-1]) for row in rows)


async def first_plan(database: Database, ask: Ask) -> str:
    async def work(session: AsyncSession) -> str:
        explaining = Explaining(session.bind)
        await ask(explaining)
        await explaining.close()
        return explaining.plans[0]

    return await database.write("explain", work)


async def fill(database: Database, *statements: str) -> None:
    async def work(session: AsyncSession) -> None:
        for each in statements:
            await session.execute(text(each.format(numbers=NUMBERS[session.get_bind().dialect.name])))
        await session.execute(text("ANALYZE"))

    await database.write("fill", work)


def assert_goes_by(index: str, plan: str) -> None:
    """It reads the rows that it wants in the order that it wants, and no others."""
    # Whole tables and sorting, in the words of SQLite, then PostgreSQL.
    assert not re.search(r"^SCAN|TEMP B-TREE|Seq Scan|Sort\b", plan), plan
    assert re.search(rf"USING (COVERING )?INDEX {index}|Index (Only )?Scan (Backward )?using {index}", plan), plan


@pytest.mark.parametrize(
    ("index", "ask"),
    [
        ("orders_due", lambda session: SqlOrders(session).due(ROWS, 8)),
        ("orders_due", lambda session: SqlOrders(session).hasten(ROWS - 200)),
        ("orders_of_user", lambda session: SqlOrders(session).of_user("user_7", None, 21)),
        ("orders_of_user", lambda session: SqlOrders(session).of_user("user_7", (3007, "ord_3007"), 21)),
    ],
    ids=["due", "sooner", "first page", "next page"],
)
async def test_orders_are_found_by_an_index(index: str, ask: Ask, open_database: OpenDatabase) -> None:
    database = open_database(orders.metadata)
    async with running(database):
        await fill(database, FILL_ORDERS)
        assert_goes_by(index, await first_plan(database, ask))


@pytest.mark.parametrize(
    ("index", "ask"),
    [
        ("(sqlite_autoindex_products_1|products_pkey)", lambda session: SqlStock(session).products_after("p-300", 21)),
        ("reservations_by_expiry", lambda session: SqlStock(session).expired(ROWS, 50)),
        ("reservations_by_expiry", lambda session: SqlStock(session, may_lock=False).expired(ROWS, 1)),
    ],
    ids=["page", "expired", "whether any has expired"],
)
async def test_stock_is_found_by_an_index(index: str, ask: Ask, open_database: OpenDatabase) -> None:
    database = open_database(inventory.metadata)
    async with running(database):
        await fill(database, FILL_PRODUCTS, FILL_RESERVATIONS)
        assert_goes_by(index, await first_plan(database, ask))

"""Databases as the services make them, filled with what a run left behind, and then damaged."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import URL, BigInteger, Column, Connection, Executable, Integer, MetaData, Table, insert, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import DropTable

from chaos.invariants import Report, verify
from chaos.invariants.evidence import Evidence
from chaos.invariants.tables import STORES, Row
from services.inventory import repository as inventory
from services.orders import repository as orders
from services.payments import repository as payments

SCHEMAS: Mapping[str, MetaData] = {
    "orders": orders.metadata,
    "inventory": inventory.metadata,
    "payments": payments.metadata,
}


def lawless(schema: MetaData) -> MetaData:
    """The same tables without keys, references and checks."""
    copy = MetaData()
    for table in schema.sorted_tables:
        Table(table.name, copy, *(Column(each.name, each.type, nullable=each.nullable) for each in table.columns))
    return copy


@dataclass
class Stores:
    """The three databases; `urls` by store."""

    urls: Mapping[str, URL]

    async def create(self, *, constraints: bool = True) -> None:
        """Makes all tables anew."""
        for name, schema in SCHEMAS.items():
            await self._within(name, _create, schema, schema if constraints else lawless(schema))

    async def fill(self, evidence: Evidence) -> None:
        """Stores the rows of `evidence`."""
        rows: dict[str, list[Row]] = {}
        for row in evidence.rows():
            rows.setdefault(row.TABLE, []).append(row)
        for name in STORES:
            await self._within(name, _fill, SCHEMAS[name], rows)

    async def execute(self, store: str, *statements: Executable) -> None:
        """Runs statements in one transaction."""
        await self._within(store, _execute, statements)

    async def verify(self, evidence: Evidence) -> Report:
        """What the checker finds; acknowledgements, time and rule are those of `evidence`."""
        max_pending_s = evidence.max_pending_us / 1_000_000
        return await verify(self.urls, evidence.acknowledged, now_us=evidence.now_us, max_pending_s=max_pending_s)

    async def _within(self, store: str, work: Any, *arguments: Any) -> None:
        engine = create_async_engine(self.urls[store], poolclass=NullPool)
        try:
            async with engine.connect() as connection:
                await _as_a_service_does(connection)
                await connection.run_sync(work, *arguments)
                await connection.commit()
        finally:
            await engine.dispose()


def on_files(folder: Path) -> Stores:
    """SQLite files there; nothing is made yet."""
    return Stores({name: URL.create("sqlite+aiosqlite", database=str(folder / f"{name}.db")) for name in SCHEMAS})


async def _as_a_service_does(connection: AsyncConnection) -> None:
    if connection.dialect.name == "sqlite":
        await connection.execute(text("PRAGMA journal_mode=WAL"))
        await connection.execute(text("PRAGMA synchronous=OFF"))  # only the machine's own crash would lose anything


def _create(connection: Connection, before: MetaData, schema: MetaData) -> None:
    for table in reversed(before.sorted_tables):
        connection.execute(DropTable(table, if_exists=True))
    schema.create_all(connection)


def _fill(connection: Connection, schema: MetaData, rows: Mapping[str, Sequence[Row]]) -> None:
    for table in schema.sorted_tables:
        if there := rows.get(table.name):
            connection.execute(insert(table), [values_of(table, each) for each in there])


def _execute(connection: Connection, statements: Sequence[Executable]) -> None:
    for each in statements:
        connection.execute(each)


def values_of(table: Table, row: Row) -> dict[str, Any]:
    """The row with something in the columns that the checker doesn't read."""
    return {**{each.name: _something(each) for each in table.columns if not each.nullable}, **asdict(row)}


def _something(column: Column[Any]) -> object:
    return 1 if isinstance(column.type, Integer | BigInteger) else "any"

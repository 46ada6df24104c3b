"""What the services have stored, looked at from outside while they run."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from sqlalchemy import URL, make_url, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from chaos.invariants.stores import Databases

_UNDER_WAY = ("authorizing", "capturing", "voiding", "refunding")

_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}


class Look:
    """A connection to one service's database that sees what is committed at every moment."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def one(self, statement: str, **values: str) -> object:
        """The first column of the one row; None without a row."""
        return (await self._connection.execute(text(statement), values)).scalar_one_or_none()

    async def charging(self, order_id: str) -> bool:
        """Payments is in the middle of a step: it has stored what it will ask the provider, and no answer."""
        return await self.one("SELECT state FROM payments WHERE order_id = :id", id=order_id) in _UNDER_WAY

    async def writing(self) -> bool:
        """Somebody is in the middle of a transaction that writes."""
        if self._connection.dialect.name == "postgresql":
            return bool(await self.one(_WRITERS))
        try:
            await self._connection.exec_driver_sql("BEGIN IMMEDIATE")
        except OperationalError:  # SQLite has one writer at a time
            return True
        await self._connection.exec_driver_sql("ROLLBACK")
        return False


_WRITERS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND backend_xid IS NOT NULL"


class Books:
    """The databases of a running system, by service."""

    def __init__(self, databases: Databases) -> None:
        self.databases: Mapping[str, URL] = {name: _with_driver(make_url(url)) for name, url in databases.items()}

    @asynccontextmanager
    async def looking(self, store: str) -> AsyncIterator[Look]:
        url = self.databases[store]
        patience = {"timeout": 0} if url.get_backend_name() == "sqlite" else {}
        engine = create_async_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT", connect_args=patience)
        try:
            async with engine.connect() as connection:
                yield Look(connection)
        finally:
            await engine.dispose()

    async def pending(self) -> int:
        """Orders that are not final."""
        async with self.looking("orders") as look:
            return int(str(await look.one("SELECT count(*) FROM orders WHERE due_at_us IS NOT NULL")))

    async def owner(self, order_id: str) -> str:
        """The user whose order it is."""
        async with self.looking("orders") as look:
            return str(await look.one("SELECT user_id FROM orders WHERE order_id = :id", id=order_id))


def _with_driver(url: URL) -> URL:
    return url.set(drivername=_DRIVERS[url.get_backend_name()])

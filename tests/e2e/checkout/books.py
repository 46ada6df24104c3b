"""What the services have stored, looked at from outside while they run."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing

from sqlalchemy import URL, text

from chaos.invariants.stores import snapshot

_UNDER_WAY = ("authorizing", "capturing", "voiding", "refunding")


class Books:
    """The databases of a running system, by service."""

    def __init__(self, databases: Mapping[str, URL]) -> None:
        self.databases = databases

    async def pending(self) -> int:
        """Orders that are not final."""
        found = await self._one("orders", "SELECT count(*) FROM orders WHERE due_at_us IS NOT NULL")
        return int(str(found))

    async def owner(self, order_id: str) -> str:
        """The user whose order it is."""
        return str(await self._one("orders", "SELECT user_id FROM orders WHERE order_id = :id", order_id))

    async def charging(self, order_id: str) -> bool:
        """Payments is in the middle of a step: it has stored what it will ask the provider, and no answer."""
        return await self._one("payments", "SELECT state FROM payments WHERE order_id = :id", order_id) in _UNDER_WAY

    def writing(self, store: str) -> bool:
        """Somebody is in the middle of a transaction that writes."""
        file = self.databases[store].database or ""
        with closing(sqlite3.connect(file, timeout=0, isolation_level=None)) as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return True
            connection.execute("ROLLBACK")
            return False

    async def _one(self, store: str, statement: str, order_id: str | None = None) -> object:
        """The first column of the one row; None without a row."""
        values = {"id": order_id} if order_id else {}
        async with snapshot(store, self.databases[store]) as connection:
            return (await connection.execute(text(statement), values)).scalar_one_or_none()

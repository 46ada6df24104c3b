"""Whose turn it is to write: SQLite has one writer at a time and no queue for the others, who would poll and starve."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.exc import OperationalError

from services.chassis.database import failures


class Turns:
    """The queue of one process's writers, in the order of asking.

    While another process keeps the database locked, whoever's turn it is waits in vain for as long as a lock may be waited
    for. Those behind have waited for the same lock and are told the same then, instead of each waiting as long again.
    """

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._found_locked = 0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Waits for the right to begin a transaction, and gives it back. Raises OperationalError where that is in vain."""
        before = self._found_locked
        async with self._lock:
            if self._found_locked != before:
                raise _locked()
            try:
                yield
            except OperationalError as exc:
                self._found_locked += failures.is_locked(exc)
                raise


def _locked() -> OperationalError:
    error = sqlite3.OperationalError("database is locked")
    error.sqlite_errorcode = sqlite3.SQLITE_BUSY
    return OperationalError("BEGIN IMMEDIATE", None, error)

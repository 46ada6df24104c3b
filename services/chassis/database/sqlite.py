"""SQLite in a file.

Its driver would begin transactions lazily and upgrade a reader to a writer, which two connections cannot both do; so
transactions are begun here, those that write as `BEGIN IMMEDIATE` (SQLAlchemy's documented recipe for pysqlite). WAL
lets readers go on beside the one writer.

A connection keeps its file though that is moved away or deleted, and what it commits then would be lost. So each time
before it is used, what stands under the name is compared with what stood there at the start: nothing is made in its
place, and no other file is opened, into which SQLite would write what is left in the log of the first.
"""

import os
import sqlite3
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from services.chassis.database.options import DatabaseOptions

READ_ONLY = "faultline_read_only"


def create(url: URL, name: str, options: DatabaseOptions) -> AsyncEngine:
    engine = create_async_engine(
        url,
        pool_size=options.pool_size,
        max_overflow=options.pool_overflow,
        pool_timeout=options.pool_timeout,
        hide_parameters=True,
        connect_args={"timeout": options.lock_timeout, "isolation_level": None, "uri": True},
    )
    # Connections know the file by now; spans would else have its path in their names.
    engine.sync_engine.url = url.set(database=name)
    file = _File(url.database or "")
    event.listen(engine.sync_engine, "do_connect", file.connect)
    event.listen(engine.sync_engine, "connect", _tune)
    event.listen(engine.sync_engine, "connect", file.remember)
    event.listen(engine.sync_engine, "checkout", file.compare)
    event.listen(engine.sync_engine, "begin", _begin)
    return engine


class _File:
    """The database's file, under its name. The first connection may make it; later ones find the same file or none."""

    def __init__(self, path: str) -> None:
        self._path = os.path.abspath(path)  # noqa: PTH100 -- a name, whatever it leads to
        self._first: tuple[int, int] | None = None

    def connect(self, _dialect: Any, _record: Any, arguments: list[Any], _options: Any) -> None:
        """Before it connects."""
        if self._first:
            self.compare()
        arguments[0] = f"file:{quote(self._path)}?mode={'rw' if self._first else 'rwc'}"

    def remember(self, *_: Any) -> None:
        """After it has connected."""
        self._first = self._first or self._identity()

    def compare(self, *_: Any) -> None:
        """Before it is used. Raises the driver's error, as the driver would if it looked."""
        if self._first != self._identity():
            raise sqlite3.OperationalError("the database's file is gone, or another has taken its place")

    def _identity(self) -> tuple[int, int] | None:
        try:
            found = os.stat(self._path)  # noqa: PTH116 -- five times as fast as pathlib, once per transaction
        except OSError:
            return None
        return found.st_dev, found.st_ino


def _tune(connection: Any, _: Any) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    read_only = connection.get_execution_options().get(READ_ONLY, False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

"""Reads the stores: read-only, each in one transaction that sees it as it was at one moment.

SQLite files are opened with `mode=ro` and never as `immutable`, so that what a killed process left in its write-ahead
log is read too; SQLite must be able to make its `-shm` file beside one that has none. (https://www.sqlite.org/wal.html#read_only_databases)
The stores are not read at the same moment: what is found is proven of a system at rest.
"""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, TypeVar, cast
from urllib.parse import quote

from sqlalchemy import URL, BigInteger, ColumnClause, TableClause, column, event, func, make_url, select, table
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from chaos.invariants.errors import StoreError
from chaos.invariants.tables import STORES, Order, Row, columns_of

R = TypeVar("R", bound=Row)

Databases = Mapping[str, str | URL]
"""Store, one of `STORES`, → its SQLAlchemy URL; a driver that is not named is aiosqlite or asyncpg."""

_DRIVERS: Final = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}


class Rows:
    """All rows of all stores, by their kind."""

    def __init__(self, rows: Mapping[type[Row], Sequence[Row]]) -> None:
        self._rows = rows

    def of(self, kind: type[R]) -> Sequence[R]:
        return cast("Sequence[R]", self._rows[kind])


def databases_in(state: Path) -> dict[str, URL]:
    """The stores of a system that ran with this state folder. Raises StoreError."""
    return _told(state / "stores.json") or {
        name: URL.create("sqlite", database=str(state / "data" / f"{name}.db")) for name in STORES
    }


def _told(file: Path) -> dict[str, URL]:
    """What the system's own file says; nothing where there is none, as of a system that ran before there were such files."""
    try:
        found: Mapping[str, str] = json.loads(file.read_bytes()) if file.exists() else {}
        return {name: make_url(each) for name, each in found.items()}
    except (OSError, ValueError, TypeError, AttributeError, SQLAlchemyError) as exc:
        raise StoreError(f"{file}: not a file of addresses") from exc  # not what is wrong with it: it holds passwords


def parse_address(text: str) -> tuple[str, str]:
    """Reads `orders=postgresql://…`. Raises ValueError naming the stores there are."""
    name, _, url = text.partition("=")
    if name not in STORES or not url:
        raise ValueError(f"{text}: must be NAME=URL; names: {', '.join(STORES)}")
    return name, url


async def read(databases: Databases) -> Rows:
    """All rows. Raises StoreError."""
    if missing := [name for name in STORES if name not in databases]:
        raise StoreError(f"no address for {', '.join(missing)}; needed are {', '.join(STORES)}")
    rows: dict[type[Row], Sequence[Row]] = {}
    for name, kinds in STORES.items():
        async with snapshot(name, databases[name]) as connection:
            rows |= {kind: await _rows(connection, kind) for kind in kinds}
    return Rows(rows)


async def orders_progress(databases: Databases) -> tuple[int, int]:
    """How many orders there are, and the sum of their versions: they are the same again only if no order changed.

    Raises StoreError.
    """
    progress = select(func.count(), func.sum(column("version", BigInteger))).select_from(_table(Order))
    async with snapshot("orders", databases["orders"]) as connection:
        [[count, version]] = await connection.execute(progress)
    return int(count), int(version or 0)


@asynccontextmanager
async def snapshot(name: str, url: str | URL) -> AsyncIterator[AsyncConnection]:
    """A transaction that sees the store as it was at one moment. Raises StoreError, also for what is done in it."""
    engine = _engine(name, url)
    try:
        async with engine.connect() as connection:
            yield connection
    except _errors_of(engine) as exc:
        raise StoreError(f"{name}: {_why(exc)}") from exc
    finally:
        await engine.dispose()


async def _rows(connection: AsyncConnection, kind: type[Row]) -> Sequence[Row]:
    columns: list[ColumnClause[Any]] = [column(name) for name in columns_of(kind)]
    found = await connection.execute(select(*columns).select_from(_table(kind)))
    return [kind(*each) for each in found]


def _table(kind: type[Row]) -> TableClause:
    return table(kind.TABLE)


def _engine(name: str, url: str | URL) -> AsyncEngine:
    try:
        parsed = make_url(url)
        parsed = parsed.set(drivername=_DRIVERS.get(parsed.drivername, parsed.drivername))
        return _sqlite(name, parsed) if parsed.get_backend_name() == "sqlite" else _server(parsed)
    except (SQLAlchemyError, ImportError) as exc:
        raise StoreError(f"{name}: {_why(exc)}") from exc


def _sqlite(name: str, url: URL) -> AsyncEngine:
    file = Path(url.database or "")
    if not file.is_file():
        raise StoreError(f"{name}: there is no file {file}")
    read_only = url.set(database=f"file:{quote(str(file.absolute()))}", query={"mode": "ro", "uri": "true"})
    # The driver would begin transactions for writing only.
    engine = create_async_engine(read_only, poolclass=NullPool, connect_args={"isolation_level": None})
    event.listen(engine.sync_engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    return engine


def _server(url: URL) -> AsyncEngine:
    options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    return create_async_engine(url, poolclass=NullPool, execution_options=options)


def _errors_of(engine: AsyncEngine) -> tuple[type[Exception], ...]:
    """What may be raised; asyncpg's own errors reach us as they are while connecting (an unknown database, a wrong password)."""
    asyncpg = getattr(engine.dialect.loaded_dbapi, "asyncpg", None)
    return SQLAlchemyError, OSError, *((asyncpg.PostgresError, asyncpg.InterfaceError) if asyncpg else ())


def _why(exc: BaseException) -> str:
    """The driver's own words, one line: SQLAlchemy's text adds the statement, its adapter the class."""
    said: BaseException = exc
    if isinstance(exc, DBAPIError) and exc.orig:
        said = exc.orig.__cause__ or exc.orig
    return next(iter(str(said).splitlines()), type(said).__name__)

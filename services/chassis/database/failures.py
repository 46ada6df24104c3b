"""What the drivers' errors mean: the database failed, or it was asked for what cannot be."""

import sqlite3
from typing import Any

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, NotSupportedError, ProgrammingError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine

# Classes and codes of https://www.postgresql.org/docs/current/errcodes-appendix.html
_FAILED = {
    "08",  # connection
    "25",  # transaction state, a read-only server's among them
    "28",  # authorization
    "3D",  # there is no such database
    "40",  # rolled back: serialization failure, deadlock
    "53",  # resources: disk, memory, connections
    "55",  # what was wanted is locked
    "57",  # an operator intervenes, a statement takes too long
    "58",  # input and output
    "F0",  # configuration
    "XX",  # the server's own defects, damaged data
    "42501",  # a privilege is missing
    "42P01",  # a table is missing
}
_LOCK_NOT_AVAILABLE = "55P03"
_PRIMARY = 0xFF  # of a result code of SQLite's, whose other bits say more: https://www.sqlite.org/rescode.html
_WRONG_WORK = (IntegrityError, DataError, ProgrammingError, NotSupportedError)


def errors_of(engine: AsyncEngine) -> tuple[type[Exception], ...]:
    """All that using the engine may raise; while connecting, asyncpg's own errors come as they are."""
    asyncpg = getattr(engine.dialect.loaded_dbapi, "asyncpg", None)
    return SQLAlchemyError, OSError, *((asyncpg.PostgresError, asyncpg.InterfaceError) if asyncpg else ())


def is_failure(exc: BaseException) -> bool:
    """Whether the database failed, so that the same work may succeed later; not whether the work is wrong."""
    if state := sqlstate_of(exc):
        return state[:2] in _FAILED or state in _FAILED
    if isinstance(exc, DBAPIError):
        return not isinstance(exc, _WRONG_WORK) and not isinstance(_said(exc), ValueError)
    return isinstance(exc, PoolTimeoutError) or not isinstance(exc, SQLAlchemyError)


def is_rolled_back(exc: BaseException) -> bool:
    """Whether the server said that nothing of the transaction is stored, even where it was asked to commit."""
    state = sqlstate_of(exc)
    return state.startswith("40") and state != "40003"  # the outcome is unknown


def is_locked(exc: BaseException) -> bool:
    """Whether somebody else kept what was wanted for as long as it was waited for; `DatabaseOptions.lock_timeout`."""
    code: int = getattr(_said(exc), "sqlite_errorcode", 0)
    return sqlstate_of(exc) == _LOCK_NOT_AVAILABLE or code & _PRIMARY == sqlite3.SQLITE_BUSY


def sqlstate_of(exc: BaseException) -> str:
    """PostgreSQL's five characters, or empty."""
    state: Any = getattr(getattr(exc, "orig", None) or exc, "sqlstate", None)
    return str(state or "")


def why(exc: BaseException) -> str:
    """The driver's own words, one line: SQLAlchemy's text adds the statement and its values, the server's the rows."""
    if isinstance(exc, PoolTimeoutError):
        return "no connection got free in time: all of the pool are in use"
    said = _said(exc)
    text = next(iter(str(said).splitlines()), "")
    if isinstance(exc, DBAPIError):
        state = sqlstate_of(exc)
        return f"{text} ({state})" if state else text
    return f"{type(said).__name__}: {text}" if text else type(said).__name__


def _said(exc: BaseException) -> BaseException:
    """The innermost error, which is the driver's: SQLAlchemy's adapter for asyncpg adds a class to the text."""
    if isinstance(exc, DBAPIError) and exc.orig:
        return exc.orig.__cause__ or exc.orig
    return exc

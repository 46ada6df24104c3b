"""PostgreSQL: what is asked of it bounds itself, and connections that are of no more use are replaced.

A transaction is `READ COMMITTED`; repositories lock what they are going to change.
"""

from sqlalchemy import URL, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from services.chassis.database.failures import sqlstate_of
from services.chassis.database.options import DatabaseOptions

_UNREACHABLE = 0.5  # seconds beyond the server's own limit after which the server itself is taken to be gone
_FORGOTTEN = 10.0  # seconds after which the server undoes a transaction in which nothing happens

# The server ends or starts, or it has become a read-only one that another has taken over from.
_USELESS = {"57P01", "57P02", "57P03", "25006"}


def create(url: URL, name: str, options: DatabaseOptions) -> AsyncEngine:
    engine = create_async_engine(
        url,
        pool_size=options.pool_size,
        max_overflow=options.pool_overflow,
        pool_timeout=options.pool_timeout,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={
            "timeout": options.pool_timeout,
            "command_timeout": options.statement_timeout + _UNREACHABLE,
            "server_settings": {
                "application_name": name,
                "statement_timeout": _milliseconds(options.statement_timeout),
                "lock_timeout": _milliseconds(options.lock_timeout),
                "idle_in_transaction_session_timeout": _milliseconds(_FORGOTTEN),
            },
        },
    )
    event.listen(engine.sync_engine, "handle_error", _replace_useless)
    return engine


def _milliseconds(seconds: float) -> str:
    return str(int(seconds * 1000))


def _replace_useless(context: ExceptionContext) -> None:
    if sqlstate_of(context.original_exception) in _USELESS:
        context.is_disconnect = True

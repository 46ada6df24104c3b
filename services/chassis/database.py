"""A service's own SQL database, reached through the call seam like any other peer.

SQLite notes. Its driver would begin transactions lazily and upgrade a reader to a writer, which two
connections cannot both do; so transactions are begun here, those that write as `BEGIN IMMEDIATE`
(SQLAlchemy's documented recipe for pysqlite). WAL lets readers go on beside the one writer.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeVar

from opentelemetry.instrumentation.sqlalchemy.engine import EngineTracer
from sqlalchemy import Connection, MetaData, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from observability import semconv
from observability.telemetry import Telemetry
from services.chassis.calls import CallSeam
from services.chassis.errors import PeerUnavailableError
from services.chassis.resilience.outcome import Outcome, of_error

log = logging.getLogger(__name__)

T = TypeVar("T")
Work = Callable[[AsyncSession], Awaitable[T]]
"""One transaction's work. It may be run again, so it changes nothing but the database."""

Turn = AbstractAsyncContextManager[None]
"""Waits for the right to begin a transaction, and gives it back."""


class Inject(Protocol):
    """What is awaited before each unit of work while it is true: an injected fault waits there, or raises an OSError."""

    def __bool__(self) -> bool: ...
    async def __call__(self, operation: str) -> None: ...


_READ_ONLY = "faultline_read_only"
_UNDO_TIMEOUT = 2.0  # seconds that an abandoned transaction gets to be undone
_BUSY_TIMEOUT = 1.0  # seconds; shorter than any attempt, so that it is the database that says why


class Database:
    """A component. `metadata` is created at start where it is missing."""

    def __init__(
        self, url: str, metadata: MetaData, seam: CallSeam, telemetry: Telemetry, inject: Inject | None = None
    ) -> None:
        self.name = f"database {seam.edge.callee}"
        self._inject = inject
        self._metadata, self._seam, self._telemetry = metadata, seam, telemetry
        self._engine = _engine(url, seam.edge.callee)
        _trace(self._engine, telemetry)
        self._reader = self._engine.execution_options(**{_READ_ONLY: True})
        self._running: set[asyncio.Future[Any]] = set()
        # SQLite has one writer at a time and no queue for the others: they would poll, and some would starve.
        self._turn = asyncio.Lock() if self._engine.dialect.name == "sqlite" else nullcontext()

    async def start(self) -> None:
        try:
            async with self._engine.begin() as connection:
                await connection.run_sync(self._metadata.create_all)
        except (SQLAlchemyError, OSError) as exc:
            raise PeerUnavailableError(self._seam.edge, "start", _why(exc)) from exc

    async def drain(self) -> None:
        """Nothing of its own is in flight: what uses it has drained before."""

    async def stop(self) -> None:
        if self._running:
            await asyncio.wait(self._running, timeout=_UNDO_TIMEOUT)
        await self._engine.dispose()

    async def check(self) -> None:
        """Readiness: raises PeerUnavailableError when the database does not answer."""
        try:
            async with self._reader.connect() as connection:
                await connection.execute(text("SELECT 1"))
        except (SQLAlchemyError, OSError) as exc:
            raise PeerUnavailableError(self._seam.edge, "check", _why(exc), retry_after=1.0) from exc

    async def read(self, operation: str, work: Work[T]) -> T:
        """Runs `work` in a transaction that only reads; `operation` names it in telemetry.

        Raises: CallError when the database gives no answer; what `work` raises.
        """
        return await self._run(operation, self._reader, nullcontext(), work)

    async def write(self, operation: str, work: Work[T]) -> T:
        """Runs `work` in a transaction and commits it. Raises as `read` does.

        What is stored then? Nothing, where the error says `took_no_effect`, and such a transaction may be run again. Any
        other error may have come after the commit, whose outcome nobody knows: run again, the work would meet its own
        traces and take them for somebody else's.
        """
        return await self._run(operation, self._engine, self._turn, work)

    async def _run(self, operation: str, engine: AsyncEngine, turn: Turn, work: Work[T]) -> T:
        return await self._seam.call(
            operation, lambda _: self._attempt(operation, engine, turn, work), idempotent=engine is self._reader
        )

    async def _attempt(self, operation: str, engine: AsyncEngine, turn: Turn, work: Work[T]) -> T:
        started, result, progress = time.perf_counter(), Outcome.SUCCESS, _Progress()
        try:
            if self._inject:
                await self._inject(operation)
            return await self._to_its_end(partial(_transaction, engine, turn, work, progress))
        except (OperationalError, PoolTimeoutError, OSError) as exc:
            result = Outcome.FAILURE
            error = PeerUnavailableError(self._seam.edge, operation, _why(exc), retry_after=1.0)
            error.took_no_effect = not progress.committing
            raise error from exc
        except BaseException as exc:
            result = of_error(exc, self._seam.catalogue)
            raise
        finally:
            labels = (engine.dialect.name, operation, result)
            seconds = time.perf_counter() - started
            self._telemetry.metrics.observe(semconv.DB_CLIENT_OPERATION_DURATION, seconds, *labels)

    async def _to_its_end(self, transaction: Callable[[asyncio.Event], Awaitable[T]]) -> T:
        """Runs `transaction` in a task that outlives a cancelled caller for as long as it takes to undo it.

        A statement cut off in the middle would cost the connection, and leave its rollback to chance.
        """
        abandoned = asyncio.Event()
        task = asyncio.ensure_future(transaction(abandoned))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            abandoned.set()
            task.add_done_callback(_expected)
            asyncio.get_running_loop().call_later(_UNDO_TIMEOUT, task.cancel)
            raise


class _AbandonedError(Exception):
    """Undoes a transaction that nobody waits for any more."""


@dataclass
class _Progress:
    """How far a transaction came: before it is `committing`, nothing of it is stored."""

    committing: bool = False


async def _transaction(
    engine: AsyncEngine, turn: Turn, work: Work[T], progress: _Progress, abandoned: asyncio.Event
) -> T:
    async with turn:
        _unless(abandoned)
        async with AsyncSession(engine, expire_on_commit=False) as session, session.begin():
            result = await work(session)
            _unless(abandoned)
            progress.committing = True
            return result


def _unless(abandoned: asyncio.Event) -> None:
    if abandoned.is_set():
        raise _AbandonedError


def _expected(task: asyncio.Future[Any]) -> None:
    # Nobody is left to hear of it; looking at it keeps asyncio from calling it forgotten.
    if not task.cancelled() and (error := task.exception()) and not isinstance(error, _AbandonedError):
        log.warning("an abandoned transaction ended badly", extra={"error": str(error)})


def _why(exc: Exception) -> str:
    # The driver's own words: SQLAlchemy's text adds the statement and its values.
    return str(exc.orig) if isinstance(exc, DBAPIError) else f"{type(exc).__name__}: {exc}"


def _engine(url: str, name: str) -> AsyncEngine:
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_async_engine(parsed, pool_pre_ping=True)
    engine = create_async_engine(parsed, connect_args={"timeout": _BUSY_TIMEOUT, "isolation_level": None})
    # Connections know the file by now; spans would else have its path in their names.
    engine.sync_engine.url = parsed.set(database=name)
    event.listen(engine.sync_engine, "connect", _tune_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def _tune_sqlite(connection: Any, _: Any) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    read_only = connection.get_execution_options().get(_READ_ONLY, False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


def _trace(engine: AsyncEngine, telemetry: Telemetry) -> None:
    # Its tracer alone, without the instrumentor: that would also wrap every check-out in a "connect" span.
    tracer = telemetry.tracer_provider.get_tracer("opentelemetry.instrumentation.sqlalchemy")
    usage = telemetry.meter_provider.get_meter("none").create_up_down_counter("none")
    EngineTracer(tracer, engine.sync_engine, usage)  # type: ignore[no-untyped-call]  # it has no types

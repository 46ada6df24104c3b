"""The component: units of work in transactions, each a call over the database's edge."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeVar

from sqlalchemy import MetaData, text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from observability import semconv
from observability.telemetry import Telemetry
from services.chassis.calls import CallSeam
from services.chassis.database import engine, failures
from services.chassis.database.options import DatabaseOptions
from services.chassis.database.pool import Pool
from services.chassis.database.turns import Turns
from services.chassis.errors import PeerUnavailableError
from services.chassis.resilience.outcome import Outcome, of_error

log = logging.getLogger(__name__)

T = TypeVar("T")
Work = Callable[[AsyncSession], Awaitable[T]]
"""One transaction's work. It may be run again, so it changes nothing but the database."""

Turn = Callable[[], AbstractAsyncContextManager[None]]
"""Waits for the right to begin a transaction, and gives it back."""


class Inject(Protocol):
    """What is awaited before each unit of work while it is true: an injected fault waits there, or raises an OSError."""

    def __bool__(self) -> bool: ...
    async def __call__(self, operation: str) -> None: ...


_UNDO_TIMEOUT = 2.0  # seconds that an abandoned transaction gets to be undone
_LAST_MOMENT = 1.0  # seconds that it gets at the end of everything
_CUT_OFF_TIMEOUT = 10.0  # seconds that one which was cut off may take to give its connection back
_RETRY_AFTER = 1.0  # seconds


@dataclass
class _Progress:
    """How far a transaction came: before it is `committing`, nothing of it is stored."""

    committing: bool = False


class Database:
    """A component. `metadata` is created at start where it is missing."""

    def __init__(
        self,
        url: str,
        metadata: MetaData,
        seam: CallSeam,
        telemetry: Telemetry,
        inject: Inject | None = None,
        options: DatabaseOptions = DatabaseOptions(),  # noqa: B008 -- frozen
    ) -> None:
        self.name = f"database {seam.edge.callee}"
        self._inject = inject
        self._metadata, self._seam, self._telemetry = metadata, seam, telemetry
        self._engine = engine.create(url, seam.edge.callee, options, telemetry)
        self._reader = engine.reader(self._engine)
        self._pool = Pool(self._engine, seam.edge.callee, options, telemetry.metrics)
        self._errors = failures.errors_of(self._engine)
        self._running: set[asyncio.Task[Any]] = set()
        self._turn: Turn = Turns().turn if self._engine.dialect.name == engine.SQLITE else nullcontext

    async def start(self) -> None:
        async with self._translated("start"), self._pool.connection(self._engine) as connection, connection.begin():
            await engine.make_tables_alone(connection)
            await connection.run_sync(self._metadata.create_all)

    async def drain(self) -> None:
        """Nothing of its own is in flight: what uses it has drained before."""

    async def stop(self) -> None:
        await self._settled(_LAST_MOMENT)
        for each in self._running:
            _cut_off(each)
        # A pool that is disposed of keeps what is given back to it later, and nobody would ever close that.
        await self._settled(_CUT_OFF_TIMEOUT)
        await self._engine.dispose()

    async def check(self) -> None:
        """Readiness: raises PeerUnavailableError when the database does not answer."""
        async with self._translated("check"), self._pool.connection(self._reader) as connection:
            await connection.execute(text("SELECT 1"))

    async def read(self, operation: str, work: Work[T]) -> T:
        """Runs `work` in a transaction that only reads; `operation` names it in telemetry.

        Raises: CallError when the database gives no answer; what `work` raises.
        """
        return await self._run(operation, self._reader, nullcontext, work)

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
            async with self._translated(operation, progress):
                if self._inject:
                    await self._inject(operation)
                return await self._to_its_end(partial(self._transaction, engine, turn, work, progress))
        except BaseException as exc:
            result = of_error(exc, self._seam.catalogue)
            raise
        finally:
            labels = (engine.dialect.name, operation, result)
            seconds = time.perf_counter() - started
            self._telemetry.metrics.observe(semconv.DB_CLIENT_OPERATION_DURATION, seconds, *labels)

    @asynccontextmanager
    async def _translated(self, operation: str, progress: _Progress | None = None) -> AsyncIterator[None]:
        try:
            yield
        except self._errors as exc:
            if not failures.is_failure(exc):
                raise
            error = PeerUnavailableError(self._seam.edge, operation, failures.why(exc), retry_after=_RETRY_AFTER)
            error.took_no_effect = progress is not None and (not progress.committing or failures.is_rolled_back(exc))
            if failures.is_locked(exc):
                error.pushback = -1.0  # to wait was to try, again and again; no caller has as much time once more
            raise error from exc

    async def _settled(self, within: float) -> None:
        if self._running:
            await asyncio.wait(self._running, timeout=within)

    async def _to_its_end(self, transaction: Callable[[asyncio.Event], Coroutine[Any, Any, T]]) -> T:
        """Runs `transaction` in a task that outlives a cancelled caller for as long as it takes to undo it.

        A statement cut off in the middle would cost the connection, and leave its rollback to chance.
        """
        abandoned = asyncio.Event()
        task = asyncio.create_task(transaction(abandoned))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            abandoned.set()
            task.add_done_callback(_expected)
            asyncio.get_running_loop().call_later(_UNDO_TIMEOUT, _cut_off, task)
            raise

    async def _transaction(
        self, engine: AsyncEngine, turn: Turn, work: Work[T], progress: _Progress, abandoned: asyncio.Event
    ) -> T:
        async with turn():
            _unless(abandoned)
            async with self._pool.connection(engine) as connection:
                _unless(abandoned)
                async with AsyncSession(connection, expire_on_commit=False) as session, session.begin():
                    result = await work(session)
                    _unless(abandoned)
                    progress.committing = True
                    return result


class _AbandonedError(Exception):
    """Undoes a transaction that nobody waits for any more."""


def _unless(abandoned: asyncio.Event) -> None:
    if abandoned.is_set():
        raise _AbandonedError


def _cut_off(task: asyncio.Task[Any]) -> None:
    # Once: a second time would cut off its undoing, and leave its connection to nobody.
    if not task.cancelling():
        task.cancel()


def _expected(task: asyncio.Future[Any]) -> None:
    # Nobody is left to hear of it; looking at it keeps asyncio from calling it forgotten.
    if not task.cancelled() and (error := task.exception()) and not isinstance(error, _AbandonedError):
        log.warning("an abandoned transaction ended badly", extra={"error": failures.why(error)})

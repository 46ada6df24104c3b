"""The pool of connections, measured under OpenTelemetry's names."""

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager

from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.pool import QueuePool

from observability import semconv
from observability.metrics import Instruments
from services.chassis.database.options import DatabaseOptions


class Pool:
    """The connections that an engine and those derived from it share; `name` is the pool's in telemetry."""

    def __init__(self, engine: AsyncEngine, name: str, options: DatabaseOptions, metrics: Instruments) -> None:
        self._engine, self._name, self._metrics = engine, name, metrics
        metrics.set(semconv.DB_CLIENT_CONNECTION_MAX, options.pool_max, name)
        metrics.zero(semconv.DB_CLIENT_CONNECTION_PENDING_REQUESTS, name)
        metrics.zero(semconv.DB_CLIENT_CONNECTION_TIMEOUTS, name)
        self._count()

    @asynccontextmanager
    async def connection(self, engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
        """A connection of `engine`, given back at the end. Raises PoolTimeoutError, and what connecting may raise."""
        async with AsyncExitStack() as stack:
            stack.callback(self._count)
            with self._waiting():
                connection = await stack.enter_async_context(engine.connect())
            self._count()
            stack.enter_context(self._timed(semconv.DB_CLIENT_CONNECTION_USE_TIME))
            yield connection

    @contextmanager
    def _waiting(self) -> Iterator[None]:
        self._metrics.add(semconv.DB_CLIENT_CONNECTION_PENDING_REQUESTS, self._name)
        try:
            with self._timed(semconv.DB_CLIENT_CONNECTION_WAIT_TIME):
                yield
        except PoolTimeoutError:
            self._metrics.add(semconv.DB_CLIENT_CONNECTION_TIMEOUTS, self._name)
            raise
        finally:
            self._metrics.add(semconv.DB_CLIENT_CONNECTION_PENDING_REQUESTS, self._name, amount=-1)

    @contextmanager
    def _timed(self, metric: semconv.Metric) -> Iterator[None]:
        started = time.perf_counter()
        try:
            yield
        finally:
            self._metrics.observe(metric, time.perf_counter() - started, self._name)

    def _count(self) -> None:
        pool = self._engine.sync_engine.pool
        used, idle = (pool.checkedout(), pool.checkedin()) if isinstance(pool, QueuePool) else (0, 0)
        for state, number in ((semconv.CONNECTION_USED, used), (semconv.CONNECTION_IDLE, idle)):
            self._metrics.set(semconv.DB_CLIENT_CONNECTION_COUNT, number, self._name, state)

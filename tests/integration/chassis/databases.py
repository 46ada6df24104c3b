"""A database of one table, of either kind, used as a service uses its own and looked at as from another process."""

import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Integer, MetaData, String, Table, insert, make_url, select, text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.pool import NullPool

from services.chassis.calls import CallSeam
from services.chassis.database import Database, DatabaseOptions
from services.chassis.edge import Edge
from services.chassis.resilience.policy import EdgePolicy
from services.chassis.resilience.retry import RetryConfig
from services.contracts.errors import CATALOGUE
from tests.unit.chassis.recording import Recording

metadata = MetaData()
things = Table("things", metadata, Column("name", String(20), primary_key=True), Column("size", Integer))

PATIENT: Mapping[str, float] = {"pool_timeout": 30.0, "lock_timeout": 30.0, "statement_timeout": 60.0}
"""Bounds that a busy machine doesn't reach."""


@dataclass(frozen=True)
class Place:
    """Where a database is."""

    url: str

    @property
    def kind(self) -> str:
        return make_url(self.url).get_backend_name()

    @property
    def file(self) -> Path:
        """Of one that is in a file."""
        return Path(make_url(self.url).database or "")

    @asynccontextmanager
    async def opened(
        self, recording: Recording, attempt_timeout: float = 60.0, retry: RetryConfig | None = None, **options: Any
    ) -> AsyncIterator[Database]:
        """Started; with bounds that nobody reaches, but for those of `options`."""
        policy = EdgePolicy(attempt_timeout, retry)
        seam = CallSeam(Edge("toy", "toy-db", "sql"), policy, recording.telemetry, CATALOGUE)
        bounds = DatabaseOptions(**{**PATIENT, **options})
        database = Database(self.url, metadata, seam, recording.telemetry, options=bounds)
        try:
            await database.start()
            yield database
        finally:
            await database.drain()
            await database.stop()

    async def stored(self) -> list[str]:
        """The names that another process sees."""
        if self.kind == "sqlite":
            with closing(sqlite3.connect(self.file)) as connection:
                return [name for (name,) in connection.execute("SELECT name FROM things ORDER BY name")]
        return [str(name) for name in await self.execute("SELECT name FROM things ORDER BY name")]

    async def execute(self, *statements: str) -> list[object]:
        """Runs statements at a server, each by itself; the first values of the last one's rows."""
        engine = create_async_engine(self.url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        try:
            async with engine.connect() as connection:
                results = [await connection.execute(text(each)) for each in statements]
                return list(results[-1].scalars()) if results[-1].returns_rows else []
        finally:
            await engine.dispose()


async def add(session: AsyncSession, name: str) -> None:
    await session.execute(insert(things).values(name=name, size=1))


async def names_of(session: AsyncSession) -> list[str]:
    return list(await session.scalars(select(things.c.name).order_by(things.c.name)))

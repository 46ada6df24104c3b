"""Databases of a server, made and dropped one by one."""

import asyncio
import uuid
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import URL, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

DRIVER = "postgresql+asyncpg"


class Databases:
    """What one server holds of ours. `server` is the URL of any database there, whose user may create others."""

    def __init__(self, server: URL) -> None:
        self.server = server.set(drivername=DRIVER)
        self._names: set[str] = set()

    def new_database(self) -> str:
        """The URL of a fresh, empty database, password included. It lives until it is dropped."""
        name = f"faultline_test_{uuid.uuid4().hex}"
        self.execute(f"CREATE DATABASE {name}")
        self._names.add(name)
        return self.server.set(database=name).render_as_string(hide_password=False)

    def drop(self, url: str) -> None:
        """Drops a database that `new_database` made, whoever is still connected to it."""
        name = make_url(url).database or ""
        self._names.remove(name)
        self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def drop_all(self) -> None:
        for name in list(self._names):
            self.drop(self.server.set(database=name).render_as_string())

    def execute(self, *statements: str) -> None:
        """Runs statements as the server's administrator, outside of transactions."""
        # In a thread of its own: the caller may be within a running event loop.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, self._execute(statements)).result()

    async def _execute(self, statements: tuple[str, ...]) -> None:
        engine = create_async_engine(self.server, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        async with engine.connect() as connection:
            for each in statements:
                await connection.execute(text(each))
        await engine.dispose()

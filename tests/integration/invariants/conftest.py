"""Both kinds of databases."""

import importlib.util
import os
from pathlib import Path

import pytest
from sqlalchemy import URL, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from tests.integration.invariants.planting import SCHEMAS, Stores, on_files

SERVER = "FAULTLINE_TEST_POSTGRESQL"
"""Names a server, as an SQLAlchemy URL whose user may make databases."""


@pytest.fixture(params=["sqlite", "postgresql"])
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Stores:
    """Empty databases with the services' tables."""
    made = on_files(tmp_path) if request.param == "sqlite" else Stores(await _on_server())
    await made.create()
    return made


async def _on_server() -> dict[str, URL]:
    """Databases that may be there from another test."""
    address = os.environ.get(SERVER)
    if not address or not importlib.util.find_spec("asyncpg"):
        pytest.skip(f"no PostgreSQL: set {SERVER} to a server's URL, and install asyncpg")
    server = make_url(address).set(drivername="postgresql+asyncpg")
    names = {store: f"faultline_invariants_{store}_{os.getpid()}" for store in SCHEMAS}
    engine = create_async_engine(server, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        there = set((await connection.execute(text("SELECT datname FROM pg_database"))).scalars())
        for name in set(names.values()) - there:
            await connection.execute(text(f"CREATE DATABASE {name}"))
    await engine.dispose()
    return {store: server.set(database=name) for store, name in names.items()}

"""Both kinds of databases."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from sqlalchemy import URL, make_url

from tests.integration.invariants.planting import SCHEMAS, Stores, on_files
from tests.postgresql.databases import Databases


@pytest.fixture(scope="session")
def on_server(postgresql: Databases) -> Mapping[str, URL]:
    """Databases of a server that may hold another test's tables."""
    return {store: make_url(postgresql.new_database()) for store in SCHEMAS}


@pytest.fixture(params=["sqlite", "postgresql"])
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Stores:
    """Empty databases with the services' tables."""
    made = on_files(tmp_path) if request.param == "sqlite" else Stores(request.getfixturevalue("on_server"))
    await made.create()
    return made

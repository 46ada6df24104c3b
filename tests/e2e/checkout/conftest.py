"""Systems whose wires and processes a test may use as it likes, on databases of both kinds."""

from collections.abc import AsyncIterator, Mapping

import pytest
import pytest_asyncio

from tests.e2e.checkout.scene import Scene, opened

STORES = ("orders", "inventory", "payments")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def databases(request: pytest.FixtureRequest) -> Mapping[str, str]:
    """New ones, by service; none are SQLite files in the system's folder."""
    if request.param == "sqlite":
        return {}
    server = request.getfixturevalue("postgresql")
    return {store: server.new_database() for store in STORES}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(databases: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    """One with two replicas of orders."""
    folder = tmp_path_factory.mktemp("scene")
    async with opened(folder, databases, replicas={"orders": 2}) as made:
        yield made

"""Systems whose wires and processes a test may use as it likes, on databases of both kinds."""

from collections.abc import AsyncIterator, Mapping

import pytest
import pytest_asyncio

from tests.e2e.checkout.scene import Scene, opened

STORES = ("orders", "inventory", "payments")


@pytest.fixture
def databases(request: pytest.FixtureRequest) -> Mapping[str, str]:
    """New ones of the kind that is the parameter, by service; none are SQLite files in the system's folder."""
    return _new_databases(request)


@pytest.fixture(scope="package", params=["sqlite", "postgresql"])
def shared_databases(request: pytest.FixtureRequest) -> Mapping[str, str]:
    """As `databases`, those of `scene`."""
    return _new_databases(request)


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def scene(shared_databases: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    """One with two replicas of orders, for all tests of this folder: each leaves it at rest and all processes well."""
    folder = tmp_path_factory.mktemp("scene")
    async with opened(folder, shared_databases, replicas={"orders": 2}) as made:
        yield made


def _new_databases(request: pytest.FixtureRequest) -> Mapping[str, str]:
    if request.param == "sqlite":
        return {}
    server = request.getfixturevalue("postgresql")
    return {store: server.new_database() for store in STORES}

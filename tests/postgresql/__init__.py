"""PostgreSQL for tests: fixtures that give fresh databases of a real server.

The server is one that `FAULTLINE_TEST_POSTGRESQL` names by URL (its user may create databases); else one of our own,
from the binaries that are on this machine; else the tests that need it are skipped and say what is missing.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import make_url

from tests.postgresql.binaries import NoBinariesError, find
from tests.postgresql.databases import Databases
from tests.postgresql.server import Server

NewDatabase = Callable[[], str]
"""Makes an empty database and returns its URL, `postgresql+asyncpg://…`."""

_RUNNING = "FAULTLINE_TEST_POSTGRESQL"


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Databases]:
    """Databases of a server that all tests of this process share: not to be hurt. They live as long as it does."""
    if url := os.environ.get(_RUNNING):
        databases = Databases(make_url(url))
        yield databases
        databases.drop_all()
        return
    with own_server() as server:
        yield server.databases


@pytest.fixture
def postgresql_database(postgresql: Databases) -> Iterator[NewDatabase]:
    """Makes databases that are dropped when the test is over."""
    made: list[str] = []

    def make() -> str:
        made.append(postgresql.new_database())
        return made[-1]

    yield make
    for url in made:
        postgresql.drop(url)


@contextmanager
def own_server(*, durable: bool = False) -> Iterator[Server]:
    """A server for the block alone, which may be stopped, killed and started again.

    Without `durable` it does not wait for the disk: what it has committed outlives its own death, but not the
    machine's. Skips the test, saying why, where there are no binaries.
    """
    try:
        binaries = find()
    except NoBinariesError as exc:
        pytest.skip(f"no PostgreSQL: {exc}; or set {_RUNNING} to the URL of a server")
    with Server(binaries, durable=durable) as server:
        server.start()
        yield server

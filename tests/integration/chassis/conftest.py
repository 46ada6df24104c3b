"""What the tests of this folder are given."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.integration.chassis.databases import Place
from tests.integration.chassis.http_toy import Client, Parts, create_app, outside, served
from tests.unit.chassis.recording import Recording
from tests.unit.chassis.recording import recording as recording_


@pytest.fixture
def recording() -> Iterator[Recording]:
    """Telemetry whose spans, metrics and log lines can be read."""
    with recording_() as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """A database of either kind."""
    if request.param == "sqlite":
        return Place(f"sqlite+aiosqlite:///{tmp_path}/toy.db")
    return Place(request.getfixturevalue("postgresql_database")())


@pytest.fixture
async def parts() -> Parts:
    """What the HTTP toy's routes share with the test."""
    return Parts()


@pytest.fixture
async def toy_http(recording: Recording, parts: Parts) -> AsyncIterator[Client]:
    """The HTTP toy, and a client of it."""
    async with served(outside(create_app(recording, parts))) as client:
        yield client


@pytest.fixture(scope="module")
def shared_recording() -> Iterator[Recording]:
    """As `recording`, for all tests of a file."""
    with recording_() as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_http(shared_recording: Recording) -> AsyncIterator[Client]:
    """As `toy_http`, for all tests of a file, which run in one event loop."""
    async with served(outside(create_app(shared_recording, Parts()))) as client:
        yield client

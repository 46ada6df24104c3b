"""The pool of connections: bounded, measured under OpenTelemetry's names, and clear about what it refuses."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from observability import semconv
from observability.semconv import Metric
from services.chassis.database import Database
from services.chassis.errors import PeerUnavailableError
from services.chassis.http.app import create
from services.contracts.errors import CATALOGUE
from tests.integration.chassis.databases import Place, add, names_of
from tests.integration.chassis.http_toy import served
from tests.integration.chassis.processes import eventually
from tests.unit.chassis.recording import Recording

TWO: Mapping[str, Any] = {"pool_size": 1, "pool_overflow": 1}
REFUSED = "toy → toy-db names: no connection got free in time: all of the pool are in use"


def told(recording: Recording, metric: Metric, *labels: str) -> int | None:
    return recording.count(metric, "toy-db", *labels)


def open_connections(recording: Recording) -> tuple[int | None, int | None]:
    """Used, idle."""
    used, idle = (told(recording, semconv.DB_CLIENT_CONNECTION_COUNT, each) for each in ("used", "idle"))
    return used, idle


@asynccontextmanager
async def all_in_use(database: Database, connections: int = 2) -> AsyncIterator[None]:
    """Within the block nobody else gets one."""
    release, begun = asyncio.Event(), asyncio.Barrier(connections + 1)

    async def hold(session: AsyncSession) -> None:
        await names_of(session)
        await begun.wait()
        await release.wait()

    holding = [asyncio.create_task(database.read("hold", hold)) for _ in range(connections)]
    await begun.wait()
    try:
        yield
    finally:
        release.set()
        await asyncio.gather(*holding)


async def test_who_finds_none_free_in_time_is_refused(place: Place, recording: Recording) -> None:
    async with place.opened(recording, **TWO, pool_timeout=0.2) as database:
        assert told(recording, semconv.DB_CLIENT_CONNECTION_TIMEOUTS) == 0
        async with all_in_use(database):
            with pytest.raises(PeerUnavailableError, match=REFUSED) as refused:
                await database.read("names", names_of)
            assert refused.value.retry_after == 1.0
            with pytest.raises(PeerUnavailableError, match="toy-db check: no connection got free"):
                await database.check()
            assert open_connections(recording) == (2, 0)
        assert told(recording, semconv.DB_CLIENT_CONNECTION_TIMEOUTS) == 2
        assert open_connections(recording) == (0, 1), "the one beyond the pool's size is closed"
        assert told(recording, semconv.DB_CLIENT_CONNECTION_PENDING_REQUESTS) == 0
        await database.write("add", lambda session: add(session, "a"))
        assert await database.read("names", names_of) == ["a"]


async def test_who_waits_is_counted_and_comes_in_turn(place: Place, recording: Recording) -> None:
    async with place.opened(recording, **TWO) as database:

        async def three_wait() -> None:
            assert told(recording, semconv.DB_CLIENT_CONNECTION_PENDING_REQUESTS) == 3

        async with all_in_use(database):
            waiting = [asyncio.create_task(database.read("names", names_of)) for _ in range(3)]
            await eventually(three_wait)
        assert await asyncio.gather(*waiting) == [[], [], []]
        assert told(recording, semconv.DB_CLIENT_CONNECTION_PENDING_REQUESTS) == 0
        assert told(recording, semconv.DB_CLIENT_CONNECTION_TIMEOUTS) == 0


async def test_who_gives_up_waiting_leaves_no_trace(place: Place, recording: Recording) -> None:
    async with place.opened(recording, **TWO) as database:

        async def one_waits() -> None:
            assert told(recording, semconv.DB_CLIENT_CONNECTION_PENDING_REQUESTS) == 1

        async def all_is_given_back() -> None:
            # The one beyond the pool's size is closed by then: until that is done, its place is not free.
            assert open_connections(recording) == (0, 1)

        async with all_in_use(database):
            waiting = asyncio.create_task(database.read("names", names_of))
            await eventually(one_waits)
            waiting.cancel()
            await asyncio.wait([waiting])
        await eventually(all_is_given_back)
        assert told(recording, semconv.DB_CLIENT_CONNECTION_PENDING_REQUESTS) == 0
        async with all_in_use(database):
            assert open_connections(recording) == (2, 0)


async def test_its_bounds_and_times_are_told(place: Place, recording: Recording) -> None:
    async with place.opened(recording, pool_size=3, pool_overflow=4) as database:
        used = told(recording, semconv.DB_CLIENT_CONNECTION_USE_TIME) or 0
        await database.read("names", names_of)
        assert told(recording, semconv.DB_CLIENT_CONNECTION_MAX) == 7
        assert told(recording, semconv.DB_CLIENT_CONNECTION_USE_TIME) == used + 1
        assert told(recording, semconv.DB_CLIENT_CONNECTION_WAIT_TIME) == used + 1


async def test_a_client_is_told_when_to_come_again(place: Place, recording: Recording) -> None:
    async with place.opened(recording, **TWO, pool_timeout=0.2) as database:
        app = create(recording.telemetry, CATALOGUE, [])

        @app.get("/names")
        async def get_names() -> list[str]:
            return await database.read("names", names_of)

        async with served(app) as client:
            async with all_in_use(database):
                refused = await client.get("/names")
            problem = await refused.json()
            assert (refused.status, problem["type"]) == (503, "/problems/service-unavailable")
            assert refused.headers["Retry-After"] == "1"
            assert "pool" not in problem["detail"]
            assert (await client.get("/names")).status == 200

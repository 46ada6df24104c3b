"""SQLite in trouble: each kind of it has its clear error, loses nothing, and is over by itself when its cause is."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.pool import Pool

from observability import semconv
from services.chassis.database import Database
from services.chassis.errors import AttemptTimeoutError, PeerUnavailableError
from services.chassis.resilience.retry import RetryConfig
from tests.integration.chassis.databases import Place, add, names_of
from tests.integration.chassis.processes import eventually
from tests.unit.chassis.recording import Recording

DURATION = semconv.DB_CLIENT_OPERATION_DURATION


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(f"sqlite+aiosqlite:///{tmp_path}/toy.db")


@pytest.fixture
async def database(place: Place, recording: Recording) -> AsyncIterator[Database]:
    async with place.opened(recording) as running:
        yield running


async def write(database: Database, name: str) -> None:
    await database.write("add", lambda session: add(session, name))


async def test_writers_wait_for_each_other(database: Database, place: Place) -> None:
    """Both read before they write: as plain transactions one would fail, with its reading out of date."""

    async def count_and_add(session: AsyncSession) -> None:
        count = len(await names_of(session))
        await asyncio.sleep(0)
        await add(session, f"{count:02}")

    await asyncio.gather(*(database.write("add", count_and_add) for _ in range(20)))
    assert await place.stored() == [f"{count:02}" for count in range(20)]


@asynccontextmanager
async def locked(file: Path) -> AsyncIterator[None]:
    """Another process writes, and does not end."""
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.close()


async def test_a_locked_database_is_away(place: Place, recording: Recording) -> None:
    async with place.opened(recording, lock_timeout=0.2) as database:
        async with locked(place.file):
            with pytest.raises(PeerUnavailableError, match="toy → toy-db add: database is locked") as caught:
                await write(database, "a")
            assert caught.value.retry_after == 1.0
            assert await database.read("names", names_of) == []
        await write(database, "b")
    assert await place.stored() == ["b"]
    assert recording.count(DURATION, "sqlite", "add", "failure") == 1
    assert recording.count(semconv.CALL_ATTEMPTS, "toy-db", "add", "failure") == 1


async def test_a_lock_is_not_waited_for_twice(place: Place, recording: Recording) -> None:
    async with place.opened(recording, retry=RetryConfig(), lock_timeout=0.2) as database, locked(place.file):
        with pytest.raises(PeerUnavailableError, match="database is locked") as caught:
            await write(database, "a")
    assert caught.value.retried, "so that no caller further away does"
    assert recording.count(semconv.CALL_ATTEMPTS, "toy-db", "add", "failure") == 1


async def test_an_attempt_that_is_given_up_while_it_waits_for_the_lock(place: Place, recording: Recording) -> None:
    async with place.opened(recording, attempt_timeout=0.5, lock_timeout=2.0) as database, locked(place.file):
        with pytest.raises(AttemptTimeoutError):
            await write(database, "a")
    assert await place.stored() == []


async def its_thread_has_ended() -> None:
    """aiosqlite's, which it does not wait for itself when it could not connect."""
    assert not [each.name for each in threading.enumerate() if "_connection_worker_thread" in each.name]


async def test_a_file_that_cannot_be_had_is_away(tmp_path: Path, recording: Recording) -> None:
    place = Place(f"sqlite+aiosqlite:///{tmp_path}/no/folder.db")
    with pytest.raises(PeerUnavailableError, match="toy → toy-db start: unable to open database file"):
        async with place.opened(recording):
            raise AssertionError
    await eventually(its_thread_has_ended)


def names_in(folder: Path) -> list[str]:
    return [each.name for each in folder.iterdir()]


@pytest.mark.parametrize("name", ["a folder", "50% off#1", "ä", "a&b=c;d"])
async def test_a_file_may_have_any_name(name: str, tmp_path: Path, recording: Recording) -> None:
    place = Place(f"sqlite+aiosqlite:///{tmp_path}/{name}.db")
    async with place.opened(recording) as database:
        await write(database, "a")
    assert names_in(tmp_path) == [f"{name}.db"]
    assert await place.stored() == ["a"]


async def test_a_file_that_is_damaged_is_away(place: Place, recording: Recording) -> None:
    async with place.opened(recording) as database:
        await database.check()
        await database.stop()  # so that it must open the file anew
        place.file.write_bytes(b"no database" * 1000)
        with pytest.raises(PeerUnavailableError, match="toy → toy-db check: file is not a database"):
            await database.check()
        with pytest.raises(PeerUnavailableError, match="toy → toy-db add: file is not a database"):
            await write(database, "a")


async def assert_away(database: Database) -> None:
    for _ in range(2):
        with pytest.raises(PeerUnavailableError, match="toy → toy-db add: the database's file is gone, or another"):
            await write(database, "lost")
        with pytest.raises(PeerUnavailableError, match="the database's file is gone, or another"):
            await database.read("names", names_of)
        with pytest.raises(PeerUnavailableError, match="the database's file is gone, or another"):
            await database.check()


async def test_a_file_that_was_moved_away_is_away_and_nothing_takes_its_place(database: Database, place: Place) -> None:
    await write(database, "a")
    away = place.file.rename(place.file.with_name("away.db"))
    await assert_away(database)
    assert not place.file.exists()
    away.rename(place.file)
    await write(database, "b")
    assert await place.stored() == ["a", "b"]


async def test_another_file_under_its_name_is_left_alone(database: Database, place: Place) -> None:
    """As when a backup is put back under a running service."""
    await write(database, "a")
    restored = place.file.with_name("backup.db")
    with closing(sqlite3.connect(restored)) as backup:
        backup.executescript("CREATE TABLE things (name TEXT, size INTEGER); INSERT INTO things VALUES ('kept', 1)")
    before = restored.read_bytes()
    restored.rename(place.file)
    await assert_away(database)
    assert place.file.read_bytes() == before


class Pragmas:
    """What every connection is told before it is used."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, connection: Any, _record: Any, _proxy: Any) -> None:
        for each in self.said:
            connection.cursor().execute(f"PRAGMA {each}")


@pytest.fixture
def pragmas() -> Iterator[Pragmas]:
    told = Pragmas()
    event.listen(Pool, "checkout", told.say)
    yield told
    event.remove(Pool, "checkout", told.say)


async def test_a_full_database_is_away_and_keeps_what_it_has(
    pragmas: Pragmas, place: Place, recording: Recording
) -> None:
    async with place.opened(recording) as database:
        await write(database, "a")
        pragmas.said = ["max_page_count=1"]  # which means: as many as there are

        async def write_much(session: AsyncSession) -> None:
            await add(session, "lost")
            await session.execute(text("CREATE TABLE more AS SELECT zeroblob(100000)"))

        with pytest.raises(PeerUnavailableError, match="toy → toy-db add: database or disk is full"):
            await database.write("add", write_much)
        assert await database.read("names", names_of) == ["a"]
        pragmas.said = ["max_page_count=1000000"]
        await write(database, "b")
    assert await place.stored() == ["a", "b"]


async def test_a_read_only_database_is_away_for_writers(pragmas: Pragmas, place: Place, recording: Recording) -> None:
    async with place.opened(recording) as database:
        await write(database, "a")
        pragmas.said = ["query_only=ON"]
        with pytest.raises(PeerUnavailableError, match="toy → toy-db add: attempt to write a readonly database"):
            await write(database, "lost")
        assert await database.read("names", names_of) == ["a"]
        pragmas.said = ["query_only=OFF"]
        await write(database, "b")
    assert await place.stored() == ["a", "b"]

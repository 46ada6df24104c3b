import asyncio
import sqlite3
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
from opentelemetry.trace import SpanKind, StatusCode
from sqlalchemy import Column, Integer, MetaData, String, Table, event, insert, select, text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.ext.asyncio import AsyncSession

from observability import semconv
from services.chassis.calls import CallSeam
from services.chassis.database import Database
from services.chassis.edge import Edge
from services.chassis.errors import AttemptTimeoutError, PeerUnavailableError, ProblemError
from services.chassis.resilience.pipeline import EdgePolicy
from services.chassis.resilience.retry import RetryConfig
from services.contracts.errors import CATALOGUE
from tests.integration.chassis.processes import eventually
from tests.unit.chassis.recording import Recording, attributes_of, id_of

metadata = MetaData()
things = Table("things", metadata, Column("name", String(20), primary_key=True), Column("size", Integer))

DURATION = semconv.DB_CLIENT_OPERATION_DURATION


@asynccontextmanager
async def database_at(
    file: Path, recording: Recording, attempt_timeout: float = 10, retry: RetryConfig | None = None
) -> AsyncIterator[Database]:
    policy = EdgePolicy(attempt_timeout, retry)
    seam = CallSeam(Edge("toy", "toy-db", "sql"), policy, recording.telemetry, CATALOGUE)
    database = Database(f"sqlite+aiosqlite:///{file}", metadata, seam, recording.telemetry)
    try:
        await database.start()
        yield database
    finally:
        await database.drain()
        await database.stop()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "toy.db"


@pytest.fixture
async def database(file: Path, recording: Recording) -> AsyncIterator[Database]:
    async with database_at(file, recording) as running:
        yield running


def stored(file: Path) -> list[str]:
    """What another process sees."""
    with sqlite3.connect(file) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM things ORDER BY name")]
    connection.close()
    return names


async def add(session: AsyncSession, name: str) -> None:
    await session.execute(insert(things).values(name=name, size=1))


async def names_of(session: AsyncSession) -> list[str]:
    return list(await session.scalars(select(things.c.name).order_by(things.c.name)))


async def test_what_is_written_can_be_read(database: Database, file: Path, recording: Recording) -> None:
    await database.write("add", lambda session: add(session, "a"))
    assert await database.read("names", names_of) == ["a"] == stored(file)
    assert recording.count(DURATION, "sqlite", "add", "success") == 1
    assert recording.count(DURATION, "sqlite", "names", "success") == 1
    assert recording.count(semconv.CALL_DURATION, "toy-db", "add", "success") == 1


async def test_work_that_raises_leaves_nothing(database: Database, file: Path, recording: Recording) -> None:
    async def add_and_refuse(session: AsyncSession) -> None:
        await add(session, "a")
        raise ProblemError("out-of-stock")

    with pytest.raises(ProblemError, match="out-of-stock"):
        await database.write("add", add_and_refuse)
    assert stored(file) == []
    assert recording.count(DURATION, "sqlite", "add", "success") == 1, "the database did nothing wrong"


async def test_a_broken_rule_is_for_the_repository_to_translate(database: Database, file: Path) -> None:
    await database.write("add", lambda session: add(session, "a"))
    with pytest.raises(IntegrityError):
        await database.write("add", lambda session: add(session, "a"))
    assert stored(file) == ["a"]


async def test_work_that_is_cancelled_leaves_no_transaction_open(database: Database, file: Path) -> None:
    begun = asyncio.Event()

    async def add_and_hang(session: AsyncSession) -> None:
        await add(session, "a")
        begun.set()
        await asyncio.Event().wait()

    writing = asyncio.create_task(database.write("add", add_and_hang))
    await begun.wait()
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    await database.write("add", lambda session: add(session, "b"))
    assert stored(file) == ["b"]


async def test_so_is_work_cancelled_at_any_moment(database: Database, file: Path) -> None:
    for steps in range(40):
        writing = asyncio.create_task(database.write("add", partial(add, name=f"{steps:02}")))
        for _ in range(steps):
            await asyncio.sleep(0)
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
    await database.write("add", lambda session: add(session, "last"))
    assert stored(file)[-1] == "last"


async def test_writers_wait_for_each_other(database: Database, file: Path) -> None:
    """Both read before they write: as plain transactions one would fail, with its reading out of date."""

    async def count_and_add(session: AsyncSession) -> None:
        count = len(await names_of(session))
        await asyncio.sleep(0)
        await add(session, f"{count:02}")

    await asyncio.gather(*(database.write("add", count_and_add) for _ in range(20)))
    assert stored(file) == [f"{count:02}" for count in range(20)]


async def test_readers_go_on_beside_a_writer(database: Database) -> None:
    begun, release = asyncio.Event(), asyncio.Event()

    async def add_and_wait(session: AsyncSession) -> None:
        await add(session, "a")
        begun.set()
        await release.wait()

    writing = asyncio.create_task(database.write("add", add_and_wait))
    await begun.wait()
    assert await database.read("names", names_of) == []
    release.set()
    await writing
    assert await database.read("names", names_of) == ["a"]


@asynccontextmanager
async def locked(file: Path) -> AsyncIterator[None]:
    """Another process writes, and does not end."""
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.close()


@pytest.fixture
def short_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wait for a lock is 0.2 s. To be asked for before the database."""
    monkeypatch.setattr("services.chassis.database._BUSY_TIMEOUT", 0.2)


@pytest.mark.usefixtures("short_wait")
async def test_a_locked_database_is_away(file: Path, recording: Recording) -> None:
    async with database_at(file, recording) as database, locked(file):
        started = time.monotonic()
        with pytest.raises(PeerUnavailableError, match="toy → toy-db add: database is locked") as caught:
            await database.write("add", lambda session: add(session, "a"))
        assert 0.1 < time.monotonic() - started < 1.5
        assert caught.value.retry_after == 1.0
        assert await database.read("names", names_of) == []
    assert recording.count(DURATION, "sqlite", "add", "failure") == 1
    assert recording.count(semconv.CALL_ATTEMPTS, "toy-db", "add", "failure") == 1


@pytest.mark.usefixtures("short_wait")
async def test_an_attempt_that_is_given_up_while_it_waits_for_the_lock(file: Path, recording: Recording) -> None:
    async with database_at(file, recording, attempt_timeout=0.05) as database, locked(file):
        started = time.monotonic()
        with pytest.raises(AttemptTimeoutError):
            await database.write("add", lambda session: add(session, "a"))
        assert time.monotonic() - started < 1.5
    assert stored(file) == []


async def its_thread_has_ended() -> None:
    """aiosqlite's, which it does not wait for itself when it could not connect."""
    assert not [each.name for each in threading.enumerate() if "_connection_worker_thread" in each.name]


async def test_a_file_that_cannot_be_had_is_away(tmp_path: Path, recording: Recording) -> None:
    with pytest.raises(PeerUnavailableError, match="toy → toy-db start: unable to open database file"):
        async with database_at(tmp_path / "no" / "folder.db", recording):
            raise AssertionError
    await eventually(its_thread_has_ended)


def destroy(file: Path) -> None:
    file.write_bytes(b"no database" * 1000)


async def test_it_says_whether_it_is_there(database: Database, file: Path) -> None:
    await database.check()
    await database.stop()  # so that it must open the file anew
    destroy(file)
    with pytest.raises(PeerUnavailableError, match="toy → toy-db check: file is not a database"):
        await database.check()


async def test_a_unit_of_work_is_a_call_with_its_statements_below(database: Database, recording: Recording) -> None:
    await database.write("add", lambda session: add(session, "a"))
    call = recording.named("toy-db add")
    statements = recording.children(call)
    assert [span.name for span in statements] == ["BEGIN toy-db", "INSERT toy-db"]
    for span in statements:
        assert span.kind is SpanKind.CLIENT
        assert span.parent
        assert span.parent.span_id == id_of(call)
        assert attributes_of(span)["db.system.name"] == "sqlite"
        assert attributes_of(span)["db.namespace"] == "toy-db"
        assert not {"db.system", "db.name", "db.statement", "db.operation"} & set(attributes_of(span))
    assert attributes_of(statements[1])["db.query.text"].startswith("INSERT INTO things")


async def test_no_span_names_the_file(database: Database, recording: Recording, file: Path) -> None:
    await database.write("add", lambda session: add(session, "a"))
    for span in recording.spans:
        assert file.name not in span.to_json()


async def test_a_statement_that_fails_is_an_error(database: Database, recording: Recording) -> None:
    with pytest.raises(PeerUnavailableError, match="no such table"):
        await database.read("wrong", lambda session: session.execute(text("SELECT * FROM nowhere")))
    span = recording.named("SELECT toy-db")
    assert span.status.status_code is StatusCode.ERROR


@pytest.fixture
async def retried(file: Path, recording: Recording) -> AsyncIterator[Database]:
    """A database whose edge retries."""
    async with database_at(file, recording, retry=RetryConfig(base_delay_s=0.001, max_delay_s=0.001)) as running:
        yield running


class Flaky:
    """Work that adds `name`, and fails as a driver does the first `failures` times, after it has added it."""

    def __init__(self, name: str, failures: int) -> None:
        self.runs = 0
        self._name, self._failures = name, failures

    async def __call__(self, session: AsyncSession) -> None:
        self.runs += 1
        await add(session, self._name)
        if self.runs <= self._failures:
            raise OperationalError("INSERT", {}, sqlite3.OperationalError("database is locked"))


async def test_a_write_that_failed_before_its_commit_is_run_again(retried: Database, file: Path) -> None:
    work = Flaky("a", failures=2)
    await retried.write("add", work)
    assert (work.runs, stored(file)) == (3, ["a"])


async def test_a_write_whose_commit_failed_is_not_as_nobody_knows_what_it_did(retried: Database) -> None:
    runs = 0

    def fail(_: object) -> None:
        raise OperationalError("COMMIT", {}, sqlite3.OperationalError("disk I/O error"))

    async def work(session: AsyncSession) -> None:
        nonlocal runs
        runs += 1
        await add(session, "a")
        event.listen(session.sync_session, "before_commit", fail)

    with pytest.raises(PeerUnavailableError, match="disk I/O error") as caught:
        await retried.write("add", work)
    assert runs == 1
    assert not caught.value.took_no_effect
    assert not caught.value.retried, "a caller that has a key may try again"


async def test_a_write_that_was_given_up_is_not_run_again(file: Path, recording: Recording) -> None:
    runs = 0

    async def hang(session: AsyncSession) -> None:
        nonlocal runs
        runs += 1
        await add(session, "a")
        await asyncio.Event().wait()

    retry = RetryConfig(base_delay_s=0.001, max_delay_s=0.001)
    async with database_at(file, recording, attempt_timeout=0.05, retry=retry) as database:
        with pytest.raises(AttemptTimeoutError):
            await database.write("add", hang)
        assert runs == 1


async def test_a_read_is_run_again(retried: Database) -> None:
    runs = 0

    async def read(session: AsyncSession) -> list[str]:
        nonlocal runs
        runs += 1
        if runs < 3:
            raise OperationalError("SELECT", {}, sqlite3.OperationalError("disk I/O error"))
        return await names_of(session)

    assert await retried.read("names", read) == []
    assert runs == 3

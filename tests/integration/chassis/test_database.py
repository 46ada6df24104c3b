"""What a Database keeps, whatever it is kept in."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from functools import partial

import pytest
from opentelemetry.trace import SpanKind, StatusCode
from sqlalchemy import event, make_url, text
from sqlalchemy.exc import IntegrityError, StatementError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.pool import Pool

from observability import semconv
from services.chassis.database import Database
from services.chassis.errors import PeerUnavailableError, ProblemError
from tests.integration.chassis.databases import Place, add, names_of
from tests.unit.chassis.recording import Recording, attributes_of, id_of

DURATION = semconv.DB_CLIENT_OPERATION_DURATION


@pytest.fixture
async def database(place: Place, recording: Recording) -> AsyncIterator[Database]:
    async with place.opened(recording) as running:
        yield running


async def test_what_is_written_can_be_read(database: Database, place: Place, recording: Recording) -> None:
    await database.write("add", lambda session: add(session, "a"))
    assert await database.read("names", names_of) == ["a"] == await place.stored()
    assert recording.count(DURATION, place.kind, "add", "success") == 1
    assert recording.count(DURATION, place.kind, "names", "success") == 1
    assert recording.count(semconv.CALL_DURATION, "toy-db", "add", "success") == 1


async def test_work_that_raises_leaves_nothing(database: Database, place: Place, recording: Recording) -> None:
    async def add_and_refuse(session: AsyncSession) -> None:
        await add(session, "a")
        raise ProblemError("out-of-stock")

    with pytest.raises(ProblemError, match="out-of-stock"):
        await database.write("add", add_and_refuse)
    assert await place.stored() == []
    assert recording.count(DURATION, place.kind, "add", "success") == 1, "the database did nothing wrong"


async def test_a_broken_rule_is_for_the_repository_to_translate(database: Database, place: Place) -> None:
    await database.write("add", lambda session: add(session, "a"))
    with pytest.raises(IntegrityError):
        await database.write("add", lambda session: add(session, "a"))
    assert await place.stored() == ["a"]


async def hanging(database: Database) -> "asyncio.Task[None]":
    """A write that has begun and never ends by itself."""
    begun = asyncio.Event()

    async def add_and_hang(session: AsyncSession) -> None:
        await add(session, "a")
        begun.set()
        await asyncio.Event().wait()

    writing = asyncio.create_task(database.write("add", add_and_hang))
    await begun.wait()
    return writing


async def test_work_that_is_cancelled_leaves_no_transaction_open(database: Database, place: Place) -> None:
    writing = await hanging(database)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    await database.write("add", lambda session: add(session, "b"))
    assert await place.stored() == ["b"]


async def test_so_is_work_cancelled_at_any_moment(database: Database, place: Place) -> None:
    for steps in range(40):
        writing = asyncio.create_task(database.write("add", partial(add, name=f"{steps:02}")))
        for _ in range(steps):
            await asyncio.sleep(0)
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
    await database.write("add", lambda session: add(session, "last"))
    assert (await place.stored())[-1] == "last"


@pytest.fixture
def connections() -> Iterator[set[object]]:
    """All connections that are open at the moment, of whatever pool."""
    held = set[object]()

    def opened(connection: object, _record: object) -> None:
        held.add(connection)

    def closed(connection: object, _record: object) -> None:
        held.discard(connection)

    listeners = (("connect", opened), ("close", closed))
    for name, listener in listeners:
        event.listen(Pool, name, listener)
    yield held
    for name, listener in listeners:
        event.remove(Pool, name, listener)


@pytest.mark.parametrize("given_up", [True, False], ids=["given up", "waited for"])
async def test_what_hangs_is_cut_off_at_the_end_and_its_connection_closed(
    given_up: bool, place: Place, recording: Recording, connections: set[object]
) -> None:
    async with place.opened(recording) as database:
        writing = await hanging(database)
        assert connections
        if given_up:
            writing.cancel()
        await database.stop()
        assert not connections
        assert (await asyncio.gather(writing, return_exceptions=True))[0]
    assert await place.stored() == []


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


async def test_a_unit_of_work_is_a_call_with_its_statements_below(
    database: Database, recording: Recording, place: Place
) -> None:
    await database.write("add", lambda session: add(session, "a"))
    call = recording.named("toy-db add")
    statements = recording.children(call)
    insert = statements[-1]
    assert insert.name.startswith("INSERT")
    assert attributes_of(insert)["db.query.text"].startswith("INSERT INTO things")
    for span in statements:
        assert span.kind is SpanKind.CLIENT
        assert span.parent
        assert span.parent.span_id == id_of(call)
        assert attributes_of(span)["db.system.name"] == place.kind
        assert not {"db.system", "db.name", "db.statement", "db.operation"} & set(attributes_of(span))


async def test_spans_name_the_database_and_tell_no_secret(
    database: Database, recording: Recording, place: Place
) -> None:
    """A file's path is nobody's business either."""
    await database.write("add", lambda session: add(session, "a"))
    url = make_url(place.url)
    named, secret = ("toy-db", str(place.file)) if place.kind == "sqlite" else (url.database, str(url.password))
    assert {attributes_of(span)["db.namespace"] for span in recording.children(recording.named("toy-db add"))} == {
        named
    }
    for span in recording.spans:
        assert secret not in span.to_json()
        assert "aiosqlite" not in span.to_json()
        assert "asyncpg" not in span.to_json()


async def test_a_statement_that_fails_is_an_error(database: Database, recording: Recording) -> None:
    with pytest.raises(PeerUnavailableError, match=r'no such table: nowhere|"nowhere" does not exist \(42P01\)'):
        await database.read("wrong", lambda session: session.execute(text("SELECT * FROM nowhere")))
    (span,) = [each for each in recording.spans if each.name.startswith("SELECT")][-1:]
    assert span.status.status_code is StatusCode.ERROR


async def test_a_value_that_cannot_be_stored_is_no_failure_of_the_database(database: Database) -> None:
    with pytest.raises((StatementError, UnicodeEncodeError)):
        await database.write("add", lambda session: add(session, "half a pair: \ud800"))

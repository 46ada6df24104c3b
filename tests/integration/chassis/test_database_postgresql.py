"""PostgreSQL in trouble: each kind of it has its clear error, loses nothing, and is over by itself when its cause is."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from observability import semconv
from services.chassis.database import Database
from services.chassis.errors import FaultlineError, PeerUnavailableError
from tests.integration.chassis.databases import Place, add, names_of, things
from tests.postgresql import NewDatabase, own_server
from tests.postgresql.databases import Databases
from tests.postgresql.server import Server
from tests.unit.chassis.recording import Recording


@pytest.fixture
def place(postgresql_database: NewDatabase) -> Place:
    return Place(postgresql_database())


@pytest.fixture
async def database(place: Place, recording: Recording) -> AsyncIterator[Database]:
    async with place.opened(recording) as running:
        yield running


@pytest.fixture
def server() -> Iterator[Server]:
    """One that may be hurt."""
    with own_server() as running:
        yield running


async def write(database: Database, name: str) -> None:
    await database.write("add", lambda session: add(session, name))


async def grow(session: AsyncSession, name: str) -> None:
    await session.execute(update(things).where(things.c.name == name).values(size=things.c.size + 1))


async def test_replicas_that_start_at_the_same_moment_make_the_tables_once(place: Place, recording: Recording) -> None:
    async def start_and_add(number: int) -> None:
        async with place.opened(recording) as database:
            await write(database, f"{number}")

    await asyncio.gather(*map(start_and_add, range(5)))
    assert await place.stored() == ["0", "1", "2", "3", "4"]


async def test_a_lock_that_is_not_given_back_is_not_waited_for(place: Place, recording: Recording) -> None:
    async with place.opened(recording, lock_timeout=0.2) as database, place.opened(recording) as other:
        await write(database, "a")

        async def hold(session: AsyncSession) -> None:
            await grow(session, "a")
            with pytest.raises(PeerUnavailableError, match=r"toy-db grow: .*lock timeout \(55P03\)") as caught:
                await database.write("grow", lambda session: grow(session, "a"))
            assert caught.value.retry_after == 1.0
            assert await database.read("names", names_of) == ["a"]

        await other.write("hold", hold)
        await database.write("grow", lambda session: grow(session, "a"))


async def test_a_statement_has_its_time(place: Place, recording: Recording) -> None:
    async with place.opened(recording, statement_timeout=0.3) as database:
        with pytest.raises(PeerUnavailableError, match=r"toy-db sleep: .*statement timeout \(57014\)"):
            await database.read("sleep", lambda session: session.execute(text("SELECT pg_sleep(60)")))
        await write(database, "a")
    assert await place.stored() == ["a"]


async def test_of_two_that_wait_for_each_other_one_is_told(database: Database, place: Place) -> None:
    await write(database, "a")
    await write(database, "b")
    both = asyncio.Barrier(2)

    async def grow_both(session: AsyncSession, first: str, second: str) -> None:
        await grow(session, first)
        await both.wait()
        await grow(session, second)

    outcomes = await asyncio.gather(
        database.write("grow", lambda session: grow_both(session, "a", "b")),
        database.write("grow", lambda session: grow_both(session, "b", "a")),
        return_exceptions=True,
    )
    (told,) = [each for each in outcomes if each is not None]
    assert isinstance(told, PeerUnavailableError)
    assert told.reason == "deadlock detected (40P01)"
    assert await place.execute("SELECT size FROM things") == [2, 2]


RAISING = """
    CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{state}', MESSAGE = 'planted'; END $$
"""


@pytest.mark.parametrize(
    "state",
    [
        pytest.param("40001", id="serialization failure"),
        pytest.param("40P01", id="deadlock"),
        pytest.param("53100", id="disk full"),
        pytest.param("53200", id="out of memory"),
        pytest.param("57014", id="cancelled"),
        pytest.param("58030", id="disk broken"),
        pytest.param("XX001", id="data damaged"),
    ],
)
async def test_what_the_server_could_not_do_is_said_and_undone(state: str, database: Database, place: Place) -> None:
    await write(database, "a")
    trigger = "CREATE TRIGGER fail BEFORE UPDATE ON things EXECUTE FUNCTION fail()"
    await place.execute(RAISING.format(state=state), trigger)

    async def add_and_fail(session: AsyncSession) -> None:
        await add(session, "lost")
        await grow(session, "a")

    with pytest.raises(PeerUnavailableError, match=rf"toy → toy-db fail: planted \({state}\)") as caught:
        await database.write("fail", add_and_fail)
    assert caught.value.retry_after == 1.0
    await place.execute("DROP TRIGGER fail ON things")
    await write(database, "b")
    assert await place.stored() == ["a", "b"]


@pytest.mark.parametrize("name", ["more than its twenty characters", "\x00"])
async def test_a_value_that_cannot_be_stored_is_no_failure_of_the_server(name: str, database: Database) -> None:
    with pytest.raises(DBAPIError):
        await write(database, name)


async def test_a_connection_that_is_cut_in_mid_transaction(database: Database, place: Place) -> None:
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'toy-db'"

    async def add_and_be_cut(session: AsyncSession) -> None:
        await add(session, "lost")
        await place.execute(cut)
        await add(session, "lost too")

    with pytest.raises(PeerUnavailableError, match="toy → toy-db add: "):
        await database.write("add", add_and_be_cut)
    await write(database, "a")
    assert await place.stored() == ["a"]


async def test_a_connection_that_is_cut_while_it_is_idle_is_not_noticed(database: Database, place: Place) -> None:
    await write(database, "a")
    await place.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'toy-db'")
    await write(database, "b")
    assert await place.stored() == ["a", "b"]


async def test_a_server_that_takes_no_writes_any_more(database: Database, place: Place, postgresql: Databases) -> None:
    """As one that another has taken over from: its connections are replaced, so that it is over when it is over."""
    await write(database, "a")
    name = place.url.rpartition("/")[2]
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'toy-db'"
    postgresql.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on", cut)
    with pytest.raises(PeerUnavailableError, match=r"toy-db add: .*read-only transaction \(25006\)"):
        await write(database, "lost")
    assert await database.read("names", names_of) == ["a"]
    postgresql.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
    with pytest.raises(PeerUnavailableError):
        await write(database, "lost too")
    await write(database, "b")
    assert await place.stored() == ["a", "b"]


async def test_a_database_that_is_not_there_is_named(place: Place, recording: Recording) -> None:
    gone = Place(f"{place.url}_gone")
    with pytest.raises(PeerUnavailableError, match=r"toy → toy-db start: .*does not exist"):
        async with gone.opened(recording):
            raise AssertionError


async def test_a_wrong_password_is_said_without_it(place: Place, recording: Recording) -> None:
    wrong = Place(place.url.replace("@", "wrong@"))
    with pytest.raises(PeerUnavailableError, match=r"toy → toy-db start: .*password authentication failed") as caught:
        async with wrong.opened(recording):
            raise AssertionError
    secret = wrong.url.partition("://")[2].partition("@")[0].partition(":")[2]
    assert secret not in str(caught.value)


@pytest.mark.parametrize("end", [Server.stop, Server.kill], ids=["stopped", "killed"])
async def test_a_server_that_is_away_and_comes_back(end: object, server: Server, recording: Recording) -> None:
    place = Place(server.databases.new_database())
    async with place.opened(recording) as database:
        await write(database, "a")
        await asyncio.to_thread(end, server)  # type: ignore[arg-type]  # a method of it
        for _ in range(3):
            with pytest.raises(PeerUnavailableError, match="toy → toy-db add: ") as caught:
                await write(database, "lost")
            assert caught.value.retry_after == 1.0
            with pytest.raises(PeerUnavailableError, match="toy → toy-db check: "):
                await database.check()
        await asyncio.to_thread(server.start)
        await write(database, "b")
        await database.check()
    assert await place.stored() == ["a", "b"]
    assert recording.count(semconv.DB_CLIENT_OPERATION_DURATION, "postgresql", "add", "failure") == 3


async def test_a_server_that_is_killed_in_mid_transaction(server: Server, recording: Recording) -> None:
    place = Place(server.databases.new_database())
    async with place.opened(recording) as database:

        async def add_and_kill(session: AsyncSession) -> None:
            await add(session, "lost")
            await asyncio.to_thread(server.kill)

        with pytest.raises(PeerUnavailableError):
            await database.write("add", add_and_kill)
        await asyncio.to_thread(server.start)
        await write(database, "a")
    assert await place.stored() == ["a"]


async def test_a_server_that_takes_no_more_connections(server: Server, recording: Recording) -> None:
    server.stop()
    server.start(max_connections="6", superuser_reserved_connections="0", max_wal_senders="0")
    place = Place(server.databases.new_database())
    async with place.opened(recording) as database:
        release = asyncio.Event()

        async def hold(session: AsyncSession) -> None:
            await names_of(session)
            await release.wait()

        outcomes = [asyncio.create_task(database.read("hold", hold)) for _ in range(10)]
        refused, _ = await asyncio.wait(outcomes, return_when=asyncio.FIRST_COMPLETED)
        release.set()
        await asyncio.wait(outcomes)
        errors = [each.exception() for each in refused]
        assert all(isinstance(each, FaultlineError) for each in errors), errors
        assert "too many clients" in str(errors[0])
        await write(database, "a")
    assert await place.stored() == ["a"]

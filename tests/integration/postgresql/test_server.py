import os
import signal
import subprocess
import sys
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]  # ships no types
import psutil
import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from tests.postgresql import NewDatabase, own_server
from tests.postgresql.binaries import Binaries, candidates
from tests.postgresql.databases import Databases
from tests.postgresql.server import Server
from tests.waiting import eventually

START_AND_WAIT = """
import sys
from tests.postgresql.binaries import find
from tests.postgresql.server import Server
server = Server(find())
server.start()
print(server.guard_pid, server.pid, server.folder, flush=True)
sys.stdin.read()
"""


async def run(url: str, *statements: str) -> list[object]:
    """The first values of what they return."""
    engine = create_async_engine(url, poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            results = [await connection.execute(text(each)) for each in statements]
            return [each.scalar() for each in results if each.returns_rows]
    finally:
        await engine.dispose()


async def test_databases_are_fresh_and_apart(postgresql_database: NewDatabase) -> None:
    first, second = postgresql_database(), postgresql_database()
    await run(first, "CREATE TABLE things (name text)")
    await run(second, "CREATE TABLE things (name text)")


async def test_a_database_is_gone_when_it_was_dropped(postgresql: Databases) -> None:
    url = postgresql.new_database()
    await run(url, "SELECT 1")
    postgresql.drop(url)
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await run(url, "SELECT 1")


async def test_nobody_comes_in_without_the_password(postgresql: Databases) -> None:
    url = make_url(postgresql.new_database()).set(password="guessed")
    with pytest.raises(asyncpg.InvalidPasswordError):
        await run(url.render_as_string(hide_password=False), "SELECT 1")


@pytest.mark.parametrize("binaries", candidates(), ids=lambda each: str(each.folder))
def test_everything_that_is_installed_can_be_started(binaries: Binaries) -> None:
    with Server(binaries) as server:
        server.start()
        server.databases.drop(server.databases.new_database())
        assert psutil.Process(server.pid).uids().effective != 0
    assert not server.folder.exists()


async def test_what_was_committed_outlives_any_end() -> None:
    with own_server() as server:
        url = server.databases.new_database()
        await run(url, "CREATE TABLE things (name text)", "INSERT INTO things VALUES ('a')")
        server.kill()
        with pytest.raises(ConnectionRefusedError):
            await run(url, "SELECT 1")
        server.start()
        await run(url, "INSERT INTO things VALUES ('b')")
        server.stop()
        server.start()
        assert await run(url, "SELECT count(*) FROM things") == [2]


async def test_a_durable_server_waits_for_the_disk() -> None:
    with own_server(durable=True) as server:
        url = server.databases.new_database()
        assert await run(url, "SHOW fsync", "SHOW full_page_writes", "SHOW synchronous_commit") == ["on", "on", "on"]


def test_nothing_is_left_of_a_run_that_was_killed(checkout: Path) -> None:
    command = [sys.executable, "-c", START_AND_WAIT]
    with own_server():  # so that it is skipped where there is none
        pass
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=checkout) as killed:
        assert killed.stdout
        guard_pid, pid, folder = killed.stdout.readline().split()
        os.kill(killed.pid, signal.SIGKILL)

    def check() -> None:
        assert not psutil.pid_exists(int(guard_pid))
        assert not psutil.pid_exists(int(pid))
        assert not Path(folder).exists()

    eventually(check, within=60)

"""What `docker-compose.yml` has PostgreSQL run at its first start, run by a real `psql` in a real server."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]  # it brings no types
import pytest
from sqlalchemy import URL

from deploy.compose import belongings
from deploy.compose.topology import databases
from tests.postgresql import own_server
from tests.postgresql.binaries import candidates

FILE = Path(__file__).resolve().parents[3] / "deploy" / "docker" / "databases.sql"


def psql() -> str:
    """Skips where there is none: the Python package of PostgreSQL's programs has the server's alone."""
    beside = (each.folder / "psql" for each in candidates())
    found = next((str(each) for each in beside if each.exists()), None) or shutil.which("psql")
    if found is None:
        pytest.skip("no psql beside PostgreSQL's programs or on the PATH (Debian: apt-get install postgresql-client)")
    return found


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[URL]:
    """The address of a server after its first start; every role's password is its name twelve times."""
    command, folder = psql(), tmp_path_factory.mktemp("secrets")
    for role in belongings.roles():
        (folder / role).write_text(role * 12)
    script = folder / "databases.sql"
    script.write_text(FILE.read_text().replace("/run/faultline/postgres", str(folder)))
    with own_server() as started:
        url = started.databases.server
        arguments = ["-v", "ON_ERROR_STOP=1", "--no-psqlrc", "--no-password", f"--file={script}"]
        address = url.set(drivername="postgresql").render_as_string(hide_password=False)
        done = subprocess.run([command, *arguments, address], capture_output=True, text=True, timeout=100, check=False)
        assert done.returncode == 0, done.stderr
        yield url


async def connect(server: URL, role: str, database: str) -> asyncpg.Connection:
    return await asyncpg.connect(host=server.host, port=server.port, user=role, password=role * 12, database=database)


async def test_a_service_owns_its_database_and_enters_no_other(server: URL) -> None:
    for role in databases():
        own = await connect(server, role, role)
        await own.execute("CREATE TABLE kept (id integer)")
        await own.close()
        for other in set(databases()) - {role}:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connect(server, role, other)


async def test_the_reader_reads_what_services_make_later_and_changes_nothing(server: URL) -> None:
    for database in databases():
        owner = await connect(server, database, database)
        await owner.execute("CREATE TABLE later AS SELECT 1 AS id")
        await owner.close()
        reader = await connect(server, belongings.READER, database)
        assert await reader.fetchval("SELECT count(*) FROM later") == 1
        await reader.execute("SET default_transaction_read_only = off")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await reader.execute("DELETE FROM later")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await reader.execute("CREATE TABLE own (id integer)")
        await reader.close()


async def test_a_wrong_password_opens_nothing(server: URL) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(host=server.host, port=server.port, user="orders", password="wrong", database="orders")

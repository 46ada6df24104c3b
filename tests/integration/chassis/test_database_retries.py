"""Which transactions are run again: those of which surely nothing is stored."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncSession

from services.chassis.database import Database
from services.chassis.errors import AttemptTimeoutError, PeerUnavailableError
from services.chassis.resilience.retry import RetryConfig
from tests.integration.chassis.databases import Place, add, names_of
from tests.unit.chassis.recording import Recording

AT_ONCE = RetryConfig(base_delay_s=0.001, max_delay_s=0.001)


@pytest.fixture
async def retried(place: Place, recording: Recording) -> AsyncIterator[Database]:
    """A database whose edge retries."""
    async with place.opened(recording, retry=AT_ONCE) as running:
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
            raise OperationalError("INSERT", {}, sqlite3.OperationalError("disk I/O error"))


async def test_a_write_that_failed_before_its_commit_is_run_again(retried: Database, place: Place) -> None:
    work = Flaky("a", failures=2)
    await retried.write("add", work)
    assert (work.runs, await place.stored()) == (3, ["a"])


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


class RolledBackError(Exception):
    """As the server's error when it could not commit after all."""

    sqlstate = "40001"


async def test_a_write_that_was_rolled_back_at_its_commit_is_run_again(retried: Database, place: Place) -> None:
    runs = 0

    def fail(_: object) -> None:
        if runs < 3:
            raise OperationalError("COMMIT", {}, RolledBackError("could not serialize access"))

    async def work(session: AsyncSession) -> None:
        nonlocal runs
        runs += 1
        await add(session, "a")
        event.listen(session.sync_session, "before_commit", fail)

    await retried.write("add", work)
    assert (runs, await place.stored()) == (3, ["a"])


async def test_a_write_that_was_given_up_is_not_run_again(place: Place, recording: Recording) -> None:
    runs = 0

    async def hang(session: AsyncSession) -> None:
        nonlocal runs
        runs += 1
        await add(session, "a")
        await asyncio.Event().wait()

    async with place.opened(recording, attempt_timeout=2.0, retry=AT_ONCE) as database:
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

"""The queue of one process's writers, and what those in it hear of a database that somebody else keeps locked."""

import asyncio
import sqlite3

import pytest
from sqlalchemy.exc import OperationalError

from services.chassis.database.failures import is_locked
from services.chassis.database.turns import Turns

WRITERS = 5


def failed(code: int) -> OperationalError:
    """As SQLite fails."""
    error = sqlite3.OperationalError("it failed")
    error.sqlite_errorcode = code
    return OperationalError("BEGIN IMMEDIATE", None, error)


class Writers:
    """Each has its turn when those before it have had theirs; the first one's ends with `error`."""

    def __init__(self, turns: Turns, error: OperationalError) -> None:
        self.begun: list[int] = []
        self._turns, self._error = turns, error
        self._all_wait = asyncio.Event()

    async def run(self) -> list[BaseException | None]:
        tasks = [asyncio.create_task(self._write(number)) for number in range(WRITERS)]
        await asyncio.sleep(0)  # each has asked for its turn
        self._all_wait.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    async def _write(self, number: int) -> None:
        async with self._turns.turn():
            self.begun.append(number)
            await self._all_wait.wait()
            if number == 0:
                raise self._error


async def test_all_who_wait_are_told_when_the_database_is_found_locked() -> None:
    turns = Turns()
    writers = Writers(turns, failed(sqlite3.SQLITE_BUSY_RECOVERY))
    told = await writers.run()
    assert writers.begun == [0]
    assert [isinstance(each, OperationalError) and is_locked(each) for each in told] == WRITERS * [True]


async def test_who_comes_later_tries_again() -> None:
    turns = Turns()
    await Writers(turns, failed(sqlite3.SQLITE_BUSY)).run()
    async with turns.turn():
        pass


async def test_what_else_befalls_one_is_no_matter_to_the_others() -> None:
    writers = Writers(Turns(), failed(sqlite3.SQLITE_FULL))
    first, *others = await writers.run()
    assert isinstance(first, OperationalError)
    assert (writers.begun, others) == ([*range(WRITERS)], [None] * (WRITERS - 1))


async def test_one_at_a_time_and_nobody_before_it_is_free() -> None:
    turns = Turns()
    async with turns.turn():
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0), turns.turn():
                raise AssertionError

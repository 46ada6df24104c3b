import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from observability import semconv
from services.chassis.database import Database
from services.chassis.edge import Edge
from services.chassis.errors import AttemptTimeoutError, DeadlineExceededError, PeerUnavailableError
from services.chassis.faults.errors import FaultRefusedError
from services.chassis.faults.site import FaultSite
from services.chassis.resilience import deadline
from services.chassis.resilience.deadline import Deadline
from tests.integration.chassis.peers import seam
from tests.integration.faults.asking import LONG_MS, assert_told, set_fault, touched
from tests.unit.chassis.recording import Recording

metadata = MetaData()
things = Table("things", metadata, Column("name", String(20), primary_key=True), Column("size", Integer))

DB = "toy-db"


@pytest.fixture
async def database(tmp_path: Path, recording: Recording, site: FaultSite) -> AsyncIterator[Database]:
    faults = site.storage(DB, ["add", "count"])
    edge = seam(recording, Edge("toy", DB, "sql"), 60.0)
    made = Database(f"sqlite+aiosqlite:///{tmp_path}/toy.db", metadata, edge, recording.telemetry, faults)
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


async def add(database: Database, name: str = "a") -> None:
    async def work(session: AsyncSession) -> None:
        await session.execute(insert(things).values(name=name, size=1))

    await database.write("add", work)


async def count(database: Database) -> int:
    async def work(session: AsyncSession) -> int:
        return len((await session.execute(select(things))).all())

    return await database.read("count", work)


async def test_a_slow_database_does_its_work_later(database: Database, site: FaultSite, recording: Recording) -> None:
    armed = set_fault(site, "latency", service=DB, operation="add", parameters={"ms": 5})
    await add(database)
    assert await count(database) == 1
    assert armed.touched == 1
    assert_told(recording, armed, f"{DB} add")


async def test_who_waits_goes_on_when_the_fault_is_taken_back(database: Database, site: FaultSite) -> None:
    armed = set_fault(site, "latency", service=DB, parameters={"ms": LONG_MS})
    waiting = asyncio.create_task(add(database))
    await touched(armed)
    site.store.clear()
    await waiting
    assert await count(database) == 1


async def test_a_failing_database_fails_as_its_driver_would_and_stores_nothing(
    database: Database, site: FaultSite, recording: Recording
) -> None:
    armed = set_fault(site, "error", service=DB)
    with pytest.raises(PeerUnavailableError, match="toy → toy-db add: InjectedStorageError: an injected fault"):
        await add(database)
    assert_told(recording, armed, f"{DB} add")
    assert recording.count(semconv.DB_CLIENT_OPERATION_DURATION, "sqlite", "add", "failure") == 1
    site.store.clear()
    assert await count(database) == 0


async def test_a_silent_database_is_given_up_at_the_deadline_and_stores_nothing(
    database: Database, site: FaultSite
) -> None:
    set_fault(site, "blackhole", service=DB)
    with deadline.bound(Deadline.after(0.1)), pytest.raises((DeadlineExceededError, AttemptTimeoutError)):
        await add(database)
    site.store.clear()
    assert await count(database) == 0


async def test_what_a_database_has_not_is_refused(database: Database, site: FaultSite) -> None:
    assert await count(database) == 0
    with pytest.raises(
        FaultRefusedError, match=r"kind: toy-db \(sql\) has no slow-body; it has latency, blackhole, error"
    ):
        set_fault(site, "slow-body", service=DB, parameters={"ms": 1})
    with pytest.raises(FaultRefusedError, match="operation: there is no 'drop'; there are add, count"):
        set_fault(site, "error", service=DB, operation="drop")

"""How the stores are read: without changing them, as of one moment, and with an error that says which could not be."""

import asyncio
import shutil
import signal
import sqlite3
import sys
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import URL, delete, text

from chaos.invariants import StoreError, databases_in, verify
from chaos.invariants.stores import snapshot
from services.payments.repository import payments
from tests.integration.invariants.planting import Stores, on_files
from tests.unit.invariants.stories import ALL, NOW_US, SOLD, left_behind

HEALTHY = left_behind(ALL)

CHANGE_AND_DIE = """
import os, signal, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("UPDATE payments SET state = 'voided' WHERE order_id = ?", [sys.argv[2]])
os.kill(os.getpid(), signal.SIGKILL)
"""


async def test_a_store_is_seen_as_it_was_at_one_moment(stores: Stores) -> None:
    await stores.fill(HEALTHY)
    count = text("SELECT count(*) FROM payments")
    async with snapshot("payments", stores.urls["payments"]) as connection:
        before = (await connection.execute(count)).scalar()
        await stores.execute("payments", delete(payments))
        assert (await connection.execute(count)).scalar() == before


async def test_a_store_cannot_be_changed(stores: Stores) -> None:
    await stores.fill(HEALTHY)
    with pytest.raises(StoreError, match=r"payments: .*read-?only"):
        async with snapshot("payments", stores.urls["payments"]) as connection:
            await connection.execute(delete(payments))
    assert (await stores.verify(HEALTHY)).ok


async def test_what_a_killed_process_left_in_the_log_is_read(tmp_path: Path) -> None:
    stores = on_files(tmp_path)
    await stores.create()
    await stores.fill(HEALTHY)
    file = tmp_path / "payments.db"
    died = await asyncio.create_subprocess_exec(sys.executable, "-c", CHANGE_AND_DIE, file, SOLD.order_id)
    assert await died.wait() == -signal.SIGKILL
    assert file.with_name("payments.db-wal").stat().st_size
    [violation] = (await stores.verify(HEALTHY)).violations
    assert (violation.subject, violation.found) == (SOLD.order_id, "payment voided over 1250 EUR minor")


async def test_an_order_that_changes_meanwhile_is_said(tmp_path: Path) -> None:
    stores = on_files(tmp_path)
    await stores.create()
    await stores.fill(HEALTHY)
    before_payments = _ChangesMeanwhile(stores.urls, tmp_path / "orders.db")
    assert (await replace(stores, urls=before_payments).verify(HEALTHY)).moving
    assert not (await stores.verify(HEALTHY)).moving


class _ChangesMeanwhile(dict[str, URL]):
    """Addresses; an order is driven on when that of the last store is asked for."""

    def __init__(self, urls: Mapping[str, URL], file: Path) -> None:
        super().__init__(urls)
        self._file = file

    def __getitem__(self, name: str) -> URL:
        if name == "payments":
            with closing(sqlite3.connect(self._file)) as connection, connection:
                connection.execute("UPDATE orders SET version = version + 1 WHERE state = 'authorized'")
        return super().__getitem__(name)


@pytest.mark.parametrize("name", ["a folder", "50% of?it#", "ä", "a&b=c;d"])
async def test_a_state_folder_may_have_any_name(tmp_path: Path, name: str) -> None:
    made = on_files(tmp_path / "data")
    (tmp_path / "data").mkdir()
    await made.create()
    await made.fill(HEALTHY)
    state = tmp_path / name
    shutil.copytree(tmp_path / "data", state / "data")
    report = await verify(databases_in(state), HEALTHY.acknowledged, now_us=NOW_US, max_pending_s=60)
    assert report.ok
    assert sum(report.counts["orders"].values()) == len(ALL)


async def test_an_address_may_leave_the_driver_out(stores: Stores) -> None:
    plain = {name: url.set(drivername=url.get_backend_name()) for name, url in stores.urls.items()}
    texts = {name: url.render_as_string(hide_password=False) for name, url in plain.items()}
    assert (await verify(texts, now_us=NOW_US, max_pending_s=60)).ok


@pytest.mark.parametrize("lost", ["orders", "inventory", "payments"])
async def test_a_store_that_is_missing_is_named(stores: Stores, lost: str) -> None:
    others = {name: url for name, url in stores.urls.items() if name != lost}
    with pytest.raises(StoreError, match=f"no address for {lost}"):
        await verify(others, now_us=NOW_US, max_pending_s=60)


async def test_a_store_without_its_tables_is_named(stores: Stores) -> None:
    swapped = {**stores.urls, "payments": stores.urls["inventory"]}
    with pytest.raises(StoreError, match=r'^payments: .*(no such table: payments|"payments" does not exist)'):
        await verify(swapped, now_us=NOW_US, max_pending_s=60)


async def test_a_server_that_does_not_answer_is_named(unused_tcp_port: int) -> None:
    pytest.importorskip("asyncpg")
    away = f"postgresql://faultline:secret@127.0.0.1:{unused_tcp_port}/orders"
    with pytest.raises(StoreError, match=r"^orders: ") as raised:
        await verify(dict.fromkeys(("orders", "inventory", "payments"), away), now_us=NOW_US, max_pending_s=60)
    assert "secret" not in str(raised.value)


async def test_a_database_that_is_not_there_is_named(stores: Stores) -> None:
    url = stores.urls["orders"]
    gone = {**stores.urls, "orders": url.set(database=f"{url.database}_gone")}
    with pytest.raises(StoreError, match=r"^orders: .*(there is no file|does not exist)"):
        await verify(gone, now_us=NOW_US, max_pending_s=60)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("sqlite://", "there is no file"),
        ("sqlite:///{folder}", "there is no file"),
        ("sqlite:///{folder}/junk.db", "file is not a database"),
        ("sqlite+pysqlite:///{folder}/junk.db", "not async"),
        ("orders.db", "Could not parse"),
        ("oracle9000://somewhere/orders", "oracle9000"),
    ],
)
async def test_an_address_that_leads_nowhere_is_named(tmp_path: Path, address: str, said: str) -> None:
    (tmp_path / "junk.db").write_text("junk" * 1000)
    url = address.format(folder=tmp_path)
    with pytest.raises(StoreError, match=f"^orders: .*{said}"):
        await verify(dict.fromkeys(("orders", "inventory", "payments"), url), now_us=NOW_US, max_pending_s=60)


@pytest.mark.parametrize("max_pending_s", [-1, float("nan"), float("inf")])
async def test_a_rule_that_cannot_be_is_refused(max_pending_s: float) -> None:
    with pytest.raises(ValueError, match="max_pending_s"):
        await verify({}, now_us=NOW_US, max_pending_s=max_pending_s)

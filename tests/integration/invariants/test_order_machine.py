"""The machine that interleaves checkouts, cancellations and recoveries, over the services' real stores."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, Generic, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy import Column, delete, select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from chaos.invariants import Acknowledged, verify
from services.inventory import repository as stock_tables
from services.inventory import use_cases as inventory
from services.inventory.repository import SqlStock
from services.orders import repository as order_tables
from services.orders.domain import IdempotencyRecord
from services.orders.repository import SqlOrders
from services.payments import repository as payment_tables
from services.payments.repository import SqlPayments
from tests.conftest import Counts
from tests.fakes.orders import OrderData
from tests.fakes.payments import PaymentData
from tests.fakes.shop import ALICE, Shop, shop
from tests.fakes.stock import StockData
from tests.integration.invariants.planting import SCHEMAS, Stores
from tests.integration.invariants.real_shop import SqlStore
from tests.unit.services.test_order_machine import GOODS, OrderMachine

Data = TypeVar("Data")
View = TypeVar("View")
Found = TypeVar("Found")
Engines = Mapping[str, AsyncEngine]


class SeenStore(SqlStore[View], Generic[View, Data]):
    """Shows all that is stored as a store in memory does, to whoever is outside of the event loop."""

    def __init__(
        self,
        runner: asyncio.Runner,
        engine: AsyncEngine,
        view: Callable[[AsyncSession], View],
        look: Callable[[AsyncSession], Awaitable[Data]],
    ) -> None:
        super().__init__(engine, view)
        self._runner, self._of, self._look = runner, engine, look

    @property
    def data(self) -> Data:
        return self._runner.run(self._seen())

    async def _seen(self) -> Data:
        async with AsyncSession(self._of) as session:
            return await self._look(session)


async def _each(
    session: AsyncSession, key: Column[Any], get: Callable[[str], Awaitable[Found | None]]
) -> dict[str, Found]:
    found = {each: await get(each) for each in (await session.scalars(select(key))).all()}
    return {each: one for each, one in found.items() if one is not None}


async def orders_in(session: AsyncSession) -> OrderData:
    rows = (await session.execute(select(order_tables.idempotency_records))).mappings().all()
    records = [IdempotencyRecord(**row) for row in rows]
    orders = await _each(session, order_tables.orders.c.order_id, SqlOrders(session).get)
    return OrderData(orders, {(each.user_id, each.key): each for each in records})


async def stock_in(session: AsyncSession) -> StockData:
    view = SqlStock(session)
    reservations = await _each(session, stock_tables.reservations.c.order_id, view.reservation)
    return StockData(await view.products([GOODS.product_id]), reservations)


async def payments_in(session: AsyncSession) -> PaymentData:
    return await _each(session, payment_tables.payments.c.order_id, SqlPayments(session).get)


def shop_on(engines: Engines, runner: asyncio.Runner) -> Shop:
    """A shop over these databases, with nothing but its goods in them."""
    made: Any = shop()
    made.orders = SeenStore(runner, engines["orders"], SqlOrders, orders_in)
    made.stock = SeenStore(runner, engines["inventory"], SqlStock, stock_in)
    made.payments = SeenStore(runner, engines["payments"], SqlPayments, payments_in)
    made.deps = replace(made.deps, store=made.orders)
    made.inventory_peer.deps = replace(made.inventory_peer.deps, store=made.stock)
    made.payments_peer.deps = replace(made.payments_peer.deps, store=made.payments)
    runner.run(_emptied(engines))
    runner.run(inventory.add_catalogue(made.inventory_peer.deps, [GOODS]))
    it: Shop = made
    return it


async def _emptied(engines: Engines) -> None:
    for name, engine in engines.items():
        async with engine.begin() as connection:
            for table in reversed(SCHEMAS[name].sorted_tables):
                await connection.execute(delete(table))


async def _disposed(engines: Engines) -> None:
    for engine in engines.values():
        await engine.dispose()


@pytest.mark.long
@pytest.mark.timeout(900)  # time to make a failure small
def test_whatever_happens_what_is_stored_agrees_in_the_end(stores: Stores, counts: Counts) -> None:
    chosen = settings(
        max_examples=counts(4, 60),
        stateful_step_count=20,
        deadline=None,  # a disk is as slow as it is
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    endings: set[str] = set()
    engines = {name: create_async_engine(url) for name, url in stores.urls.items()}
    with asyncio.Runner() as runner:

        class OnTheseStores(OrderMachine):
            def __init__(self) -> None:
                super().__init__(shop_on(engines, runner), runner.get_loop())

            def teardown(self) -> None:
                """The checker of finished runs agrees."""
                super().teardown()
                confirmed = sorted(self.told_confirmed - self.asked_to_cancel)
                told = [Acknowledged(each, ALICE.user_id, None, "confirmed") for each in confirmed]
                report = runner.run(verify(stores.urls, told, now_us=self.it.clock(), max_pending_s=0))
                assert report.ok, report.violations
                endings.update(report.counts["orders"])

        run_state_machine_as_test(OnTheseStores, settings=chosen)
        runner.run(_disposed(engines))
    assert "confirmed" in endings

"""What every OrderStore keeps: the one in memory, and SQL."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from services.chassis.errors import FieldError, ProblemError
from services.contracts.money.money import EUR, Money
from services.orders import domain, use_cases
from services.orders.domain import IdempotencyRecord, Order, OrderState, Refusal, Reserved, successors
from services.orders.pace import Rules
from services.orders.ports import Orders, OrderStore
from services.orders.repository import SqlOrderStore, metadata
from tests.contract.services.conftest import opener
from tests.contract.services.running import running
from tests.fakes.orders import order_store
from tests.fakes.shop import ALICE, request, shop

NOW = 1_700_000_000_000_001
REQUEST = request(("p-2", 2), ("p-1", 1))
ORDER = domain.placed(
    "ord_1", "alice", "tests", REQUEST, NOW, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
)
RULES = Rules()
GOODS = Reserved({"p-1": Money(100, EUR), "p-2": Money(250, EUR)}, until_us=NOW + 9)
RECORD = IdempotencyRecord("alice", "k", REQUEST.fingerprint(), "ord_1", NOW)


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[OrderStore]:
    if request.param == "memory":
        yield order_store()
        return
    database = opener(request, request.param)(metadata)
    async with running(database):
        yield SqlOrderStore(database)


async def add(store: OrderStore, order: Order = ORDER, key: str = "k") -> bool:
    record = replace(RECORD, key=key, order_id=order.order_id, user_id=order.user_id)
    return await store.write("add", lambda orders: orders.add(order, record))


async def save(store: OrderStore, order: Order) -> bool:
    return await store.write("save", lambda orders: orders.save(order))


async def stored(store: OrderStore, order_id: str = "ord_1") -> Order | None:
    return await store.read("look", lambda orders: orders.get(order_id))


class TestAdding:
    async def test_keeps_order_and_record_as_they_are(self, store: OrderStore) -> None:
        assert await stored(store) is None
        assert await add(store)
        assert await stored(store) == ORDER
        assert await store.read("look", lambda orders: orders.record("alice", "k")) == RECORD

    async def test_is_once_for_a_key_of_a_user(self, store: OrderStore) -> None:
        assert await add(store)
        assert not await add(store, replace(ORDER, order_id="ord_2"))
        assert await stored(store, "ord_2") is None
        assert await add(store, replace(ORDER, order_id="ord_3"), key="other")
        assert await add(store, replace(ORDER, order_id="ord_4", user_id="bob"))

    async def test_at_the_same_time_is_once_too(self, store: OrderStore) -> None:
        added = await asyncio.gather(*(add(store, replace(ORDER, order_id=f"ord_{each}")) for each in range(10)))
        assert sum(added) == 1

    async def test_is_undone_when_the_work_raises(self, store: OrderStore) -> None:
        async def work(orders: Orders) -> None:
            await orders.add(ORDER, RECORD)
            raise RuntimeError("no")

        with pytest.raises(RuntimeError):
            await store.write("fail", work)
        assert await stored(store) is None
        assert await store.read("look", lambda orders: orders.record("alice", "k")) is None


class TestSaving:
    async def test_keeps_every_step_of_an_order(self, store: OrderStore) -> None:
        await add(store)
        order = ORDER.reserved(GOODS)
        while not order.is_final:
            order = order.done().claimed(order.updated_at_us + 5)
            assert await save(store, order)
            assert await stored(store) == order
        assert order.total == Money(600, EUR)

    async def test_keeps_why_an_order_came_to_nothing(self, store: OrderStore) -> None:
        await add(store)
        why = Refusal("out-of-stock", "nothing was reserved", (FieldError("lines[0].quantity", "2 > 1 “here”"),))
        rejected = ORDER.refused(why).claimed(NOW + 1)
        assert await save(store, rejected)
        assert await stored(store) == rejected
        assert rejected.state is OrderState.REJECTED

    async def test_keeps_the_way_back(self, store: OrderStore) -> None:
        await add(store)
        order = ORDER.reserved(GOODS)
        for move in (Order.done, Order.done, Order.done):
            order = move(order).claimed(NOW + 1)
            assert await save(store, order)
        order = order.refused(Refusal("reservation-closed", "too late")).claimed(NOW + 2)
        while True:
            assert await save(store, order)
            assert await stored(store) == order
            if order.is_final:
                break
            order = order.done().claimed(NOW + 3)
        assert order.state is OrderState.REJECTED

    async def test_is_only_for_the_next_version(self, store: OrderStore) -> None:
        await add(store)
        first = ORDER.let_go(NOW + 1, RULES)
        assert await save(store, first)
        assert not await save(store, ORDER.claimed(NOW + 2))
        assert await stored(store) == first

    async def test_at_the_same_time_is_for_one(self, store: OrderStore) -> None:
        await add(store)
        saved = await asyncio.gather(*(save(store, ORDER.claimed(NOW + each)) for each in range(10)))
        assert sum(saved) == 1

    @pytest.mark.parametrize("after", OrderState)
    async def test_of_what_is_impossible_is_refused(self, store: OrderStore, after: OrderState) -> None:
        """Every pair of states that is not in the table."""
        for number, before in enumerate(OrderState):
            order = replace(_in(before), order_id=f"ord_{number}")
            await add(store, order, key=order.order_id)
            moved = replace(_in(after), order_id=order.order_id, version=order.version + 1)
            possible = after in successors(before)
            assert await save(store, moved) == possible
            assert await stored(store, order.order_id) == (moved if possible else order)

    async def test_keeps_a_cancellation(self, store: OrderStore) -> None:
        await add(store, _in(OrderState.CONFIRMED))
        order = _in(OrderState.CONFIRMED).cancelled(NOW + 1).turned(NOW + 1, RULES).claimed(NOW + 1)
        assert await save(store, order)
        while not order.is_final:
            assert await stored(store) == order
            order = order.done().claimed(NOW + 2)
            assert await save(store, order)
        assert await stored(store) == order
        assert (order.status, order.cancelled_at_us, order.confirmed_at_us) == ("cancelled", NOW + 1, NOW)


class TestWhatIsDue:
    async def test_is_what_nobody_drives_those_first_that_wait_longest(self, store: OrderStore) -> None:
        due_at = {"ord_1": 30, "ord_2": 10, "ord_3": 20, "ord_4": 40}
        for order_id, moment in due_at.items():
            await add(store, replace(ORDER, order_id=order_id, due_at_us=moment), key=order_id)
        await add(store, replace(_in(OrderState.CONFIRMED), order_id="ord_5"), key="ord_5")
        found = await store.read("due", lambda orders: orders.due(30, 9))
        assert [each.order_id for each in found] == ["ord_2", "ord_3", "ord_1"]
        assert found[0].lines == ORDER.lines
        assert [each.order_id for each in await store.read("due", lambda orders: orders.due(30, 1))] == ["ord_2"]
        assert list(await store.read("due", lambda orders: orders.due(9, 9))) == []

    async def test_can_be_sooner_but_for_what_somebody_drives(self, store: OrderStore) -> None:
        waiting = replace(ORDER, due_at_us=NOW + 90, leased_until_us=None)
        there = {
            "earlier": replace(waiting, due_at_us=NOW - 1),
            "later": waiting,
            "driven": replace(waiting, leased_until_us=NOW + 90),
            "final": replace(_in(OrderState.CONFIRMED), due_at_us=None),
        }
        for name, order in there.items():
            await add(store, replace(order, order_id=name), key=name)
        await store.write("hasten", lambda orders: orders.hasten(NOW))
        found = await store.read("due", lambda orders: orders.due(NOW, 9))
        assert [(each.order_id, each.due_at_us) for each in found] == [("earlier", NOW - 1), ("later", NOW)]
        assert await save(store, replace(waiting, order_id="later").claimed(NOW + 1)), "it is the same version"
        assert await stored(store, "driven") == replace(there["driven"], order_id="driven")


class TestListing:
    async def test_shows_ones_own_newest_first(self, store: OrderStore) -> None:
        orders = [replace(ORDER, order_id=f"ord_{each}", created_at_us=NOW + each // 2) for each in range(6)]
        for order in orders:
            await add(store, order, key=order.order_id)
        await add(store, replace(ORDER, order_id="ord_9", user_id="bob"))
        newest = orders[::-1]
        assert await store.read("list", lambda it: it.of_user("alice", None, 4)) == newest[:4]
        last = newest[3]
        position = (last.created_at_us, last.order_id)
        assert await store.read("list", lambda it: it.of_user("alice", position, 4)) == newest[4:]

    async def test_shows_nothing_to_strangers(self, store: OrderStore) -> None:
        await add(store)
        assert list(await store.read("list", lambda it: it.of_user("carol", None, 4))) == []


async def test_twenty_checkouts_with_one_key_are_one_order_and_one_charge(store: OrderStore) -> None:
    it = shop()
    deps = replace(it.deps, store=store)
    calls = [use_cases.checkout(deps, ALICE, "k", request(("p-1", 2))) for _ in range(20)]
    answers = await asyncio.gather(*calls, return_exceptions=True)
    confirmed = {each.order_id for each in answers if isinstance(each, Order)}
    others = {each.slug for each in answers if isinstance(each, ProblemError)}
    assert len(confirmed) == 1
    assert others <= {"idempotency-key-in-use"}
    assert it.provider.calls == ["authorize", "capture"]
    assert len(await store.read("list", lambda orders: orders.of_user("alice", None, 99))) == 1


def _in(state: OrderState) -> Order:
    """An order that has come to `state`, with all that it has then."""
    final = state in {OrderState.CONFIRMED, OrderState.REJECTED, OrderState.CANCELLED}
    why = Refusal("payment-declined", "declined") if state is OrderState.REJECTED else None
    return replace(
        ORDER.reserved(GOODS),
        state=state,
        refusal=why,
        due_at_us=None if final else NOW + 5,
        leased_until_us=None if final else NOW + 5,
        confirmed_at_us=NOW if state is OrderState.CONFIRMED else None,
        cancelled_at_us=NOW if state is OrderState.CANCELLED else None,
    )

"""A request that arrives when its sender has given up, and the order has gone another way, changes nothing."""

import copy

import pytest

from services.chassis.errors import ProblemError
from services.orders import use_cases
from tests.fakes.crossroads import Crossroads, Fate
from tests.fakes.shop import ALICE, Shop, product, request, shop
from tests.refusals import quietly

# Crossings that go well before the step is asked for.
BEFORE = {"reserve": 1, "authorize": 3, "capture": 6, "confirm": 9}


async def check_out(it: Shop, key: str = "k", quantity: int = 2) -> None:
    await quietly(use_cases.checkout(it.deps, ALICE, key, request(("p-1", quantity))))


async def lose(it: Shop, step: str) -> Crossroads:
    """Leaves an order whose `step` is still on its way."""
    world = Crossroads(it)
    actor = await world.begin("checkout", check_out(it))
    for fate in [Fate.WELL] * BEFORE[step] + [Fate.LATE]:
        await world.go_on(actor, fate)
    await world.kill(actor)
    assert len(world.late) == 1
    assert it.orders.data.orders["ord_1"].status == "pending"
    it.clock.advance(6)
    return world


def books(it: Shop) -> tuple[object, ...]:
    return copy.deepcopy((it.stock.data, it.payments.data, it.provider.books))


@pytest.mark.parametrize("step", BEFORE)
async def test_after_a_cancellation(step: str) -> None:
    it = shop()
    world = await lose(it, step)
    assert (await use_cases.cancel_order(it.deps, ALICE, "ord_1")).status == "cancelled"
    before = books(it)
    await world.deliver(0)
    assert books(it) == before
    assert it.available("p-1") == 10


@pytest.mark.parametrize("step", ["reserve", "authorize", "capture"])
async def test_after_it_was_given_up(step: str) -> None:
    it = shop()
    world = await lose(it, step)
    it.clock.advance(60)
    (due,) = await use_cases.due_orders(it.deps, 8)
    assert (await use_cases.recover(it.deps, due)).status == "rejected"
    before = books(it)
    await world.deliver(0)
    assert books(it) == before
    assert it.available("p-1") == 10


@pytest.mark.parametrize("step", BEFORE)
async def test_after_it_was_asked_for_again_and_done(step: str) -> None:
    it = shop()
    world = await lose(it, step)
    await check_out(it)
    assert it.orders.data.orders["ord_1"].status == "confirmed"
    before = books(it)
    await world.deliver(0)
    assert books(it) == before
    assert it.provider.calls == ["authorize", "capture"]


async def test_a_reservation_after_it_was_refused_though_there_are_pieces_again() -> None:
    it = shop(product("p-1", available=2))
    world = await lose(it, "reserve")
    await check_out(it, "other")
    with pytest.raises(ProblemError, match="out-of-stock"):
        await use_cases.checkout(it.deps, ALICE, "k", request(("p-1", 2)))
    await use_cases.cancel_order(it.deps, ALICE, "ord_2")
    before = books(it)
    await world.deliver(0)
    assert books(it) == before
    assert it.available("p-1") == 2

"""An order is cancelled while its checkout runs, at every step, by many and in every order: it has one ending."""

import asyncio
import itertools
import uuid
from random import Random

import pytest

from services.contracts.steps import Step
from tests.conftest import Counts
from tests.e2e.checkout.customer import Customer
from tests.e2e.checkout.moments import COMES_WITHIN_S, Where, order_of
from tests.e2e.checkout.scene import Scene
from tests.e2e.checkout.wire import Caught

pytestmark = pytest.mark.asyncio(loop_scope="package")

FORWARD = (Step.RESERVE, Step.AUTHORIZE, Step.CAPTURE, Step.CONFIRM)
CARDS = ("pm_card_visa", "pm_card_visa", "pm_card_slow", "pm_card_declined")


@pytest.mark.timeout(900)
async def test_a_cancellation_that_meets_a_step_wins(scene: Scene) -> None:
    """Before and after the peer has done it, whether or not its answer is heard."""
    for step, where, heard in itertools.product(FORWARD, (Where.ASKED, Where.ANSWERED), (True, False)):
        await cancel_at(scene, step, where, heard=heard)
    await scene.assert_sound_at_rest()


async def cancel_at(scene: Scene, step: Step, where: Where, *, heard: bool) -> None:
    customer = next(iter(scene.customers.values()))
    trap = scene.wire.catch(step.capitalize())
    buying = asyncio.create_task(customer.insist(uuid.uuid4().hex))
    caught = await asyncio.wait_for(trap, COMES_WITHIN_S)
    await hold(caught, where)
    cancelled = await customer.cancel(order_of(caught.call))
    assert (cancelled.status, cancelled.body["status"]) in {(202, "pending"), (200, "cancelled")}
    caught.go_on() if heard else caught.lose()
    answer = await buying
    assert (answer.status, answer.slug, answer.order_id) == (409, "order-cancelled", order_of(caught.call))


async def hold(caught: Caught, where: Where) -> None:
    if where is Where.ANSWERED:
        caught.forward()
        await asyncio.wait_for(caught.answered.wait(), COMES_WITHIN_S)


@pytest.mark.long
@pytest.mark.timeout(1200)
async def test_whoever_is_first_an_order_has_one_ending(scene: Scene, counts: Counts) -> None:
    random = Random(7)
    await asyncio.gather(*(race(each, random, counts(3, 50)) for each in scene.customers.values()))
    await scene.assert_sound_at_rest()


async def race(customer: Customer, random: Random, times: int) -> None:
    for _ in range(times):
        key, card = uuid.uuid4().hex, random.choice(CARDS)
        checkouts = [asyncio.create_task(customer.insist(key, card)) for _ in range(2)]
        await cancel_when_seen(customer, checkouts[0], random.randint(1, 3))
        first, second = await asyncio.gather(*checkouts)
        again = await customer.insist(key, card)
        assert first.told == second.told == again.told
        assert (again.status, again.slug) in {(201, ""), (402, "payment-declined"), (409, "order-cancelled")}


async def cancel_when_seen(customer: Customer, checkout: "asyncio.Task[object]", times: int) -> None:
    """Cancels the customer's newest order as soon as it is shown and pending, by so many requests at once."""
    while not checkout.done():
        newest = await customer.newest()
        if newest and newest["status"] == "pending":
            await asyncio.gather(*(customer.cancel(newest["order_id"]) for _ in range(times)))
            return

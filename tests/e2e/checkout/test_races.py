"""Many do the same at the same moment, at two replicas of orders: each order, each charge and each piece is there once."""

import asyncio
import itertools
import uuid
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.conftest import Counts
from tests.e2e.checkout.customer import Answer, Customer
from tests.e2e.checkout.scene import Scene

pytestmark = pytest.mark.asyncio(loop_scope="package")

BUYERS = 50


@pytest.mark.long
@pytest.mark.timeout(1200)
async def test_two_checkouts_with_one_key_are_one_order_one_charge_and_one_answer(scene: Scene, counts: Counts) -> None:
    keys = [uuid.uuid4().hex for _ in range(counts(30, 1000))]
    customers = list(scene.customers.values())
    shares = [keys[number :: len(customers)] for number in range(len(customers))]
    bought = await asyncio.gather(*map(buy_twice, customers, shares))
    order_ids = {answer.order_id for answers in bought for answer in answers}
    assert len(order_ids) == len(keys)
    await scene.assert_sound_at_rest()


async def buy_twice(customer: Customer, keys: list[str]) -> list[Answer]:
    return [await bought_twice(customer, key) for key in keys]


async def bought_twice(customer: Customer, key: str) -> Answer:
    """The answer that both get in the end."""
    both = await asyncio.gather(customer.check_out(key), customer.check_out(key))
    again = await customer.insist(key)
    assert again.status == 201
    for answer in both:
        assert_same_or_later(answer, again)
    return again


def assert_same_or_later(answer: Answer, last: Answer) -> None:
    """It is the last answer, or says when to ask for it, of the same order where it knows it."""
    if answer.settled:
        assert answer.told == last.told
        return
    assert answer.order_id in {"", last.order_id}
    assert answer.status in {202, 409, 503, 504}, answer
    assert answer.status == 202 or int(answer.retry_after) >= 1, answer


@pytest.mark.timeout(900)
async def test_fifty_buyers_of_the_last_pieces_get_those_there_are(scene: Scene) -> None:
    for product_id, pieces in (("p-0050", 10), ("p-0100", 5), ("p-0150", 1)):
        answers = await asyncio.gather(*(buyer.insist(key, product_id=product_id) for buyer, key in buyers(scene)))
        outcomes = Counter((each.status, each.slug) for each in answers)
        assert outcomes == {(201, ""): pieces, (409, "out-of-stock"): BUYERS - pieces}
    await scene.assert_sound_at_rest()


def buyers(scene: Scene) -> Iterator[tuple[Customer, str]]:
    """Customers in turn, each time with a new key."""
    customers = itertools.cycle(scene.customers.values())
    return ((customer, uuid.uuid4().hex) for customer in itertools.islice(customers, BUYERS))

"""Customers who buy all the time, each in a way of their own: the load under which things are killed."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from random import Random

from tests.e2e.checkout.customer import Answer, Customer

_CARDS = ("pm_card_visa", "pm_card_visa", "pm_card_visa", "pm_card_slow", "pm_card_declined")
_PAUSE_S = 0.2  # a customer's, between two requests
_LOOKS_S = 0.05  # and between two looks at an order that is not there yet


class Crowd:
    """Each customer buys, again and again, until told to stop; then they finish what they began."""

    def __init__(self, customers: Sequence[Customer], random: Random) -> None:
        self._customers, self._random = customers, random
        self._end = asyncio.Event()

    @asynccontextmanager
    async def buying(self) -> AsyncIterator[None]:
        """While the block runs, and until everybody is done."""
        self._end.clear()
        async with asyncio.TaskGroup() as group:
            for each in self._customers:
                group.create_task(self._buy(each))
            try:
                yield
            finally:
                self._end.set()

    async def _buy(self, customer: Customer) -> None:
        while not self._end.is_set():
            await self._random.choice((self._insist, self._insist, self._walk_away, self._regret, self._hurry))(
                customer
            )
            await asyncio.sleep(_PAUSE_S)

    async def _insist(self, customer: Customer) -> Answer:
        """Repeats the checkout until it is settled."""
        key, card, quantity = uuid.uuid4().hex, self._random.choice(_CARDS), self._random.randint(1, 3)
        return await customer.insist(key, card, quantity=quantity)

    async def _walk_away(self, customer: Customer) -> None:
        """Whatever the answer: who finishes the order is the recovery."""
        await customer.check_out(uuid.uuid4().hex, self._random.choice(_CARDS))

    async def _regret(self, customer: Customer) -> None:
        """Cancels what was bought."""
        answer = await self._insist(customer)
        if answer.status == 201:
            await customer.cancel(answer.order_id)

    async def _hurry(self, customer: Customer) -> None:
        """Cancels while the checkout is under way."""
        checkout = asyncio.create_task(customer.check_out(uuid.uuid4().hex, "pm_card_slow"))
        while not checkout.done():
            newest = await customer.newest()
            if newest and newest["status"] == "pending":
                await customer.cancel(newest["order_id"])
                break
            await asyncio.sleep(_LOOKS_S)
        await checkout

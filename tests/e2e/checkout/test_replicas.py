"""Two replicas drive the same orders: one stands still in the middle of them, and goes on when all is done without it."""

import asyncio
import uuid
from random import Random

import pytest

from services.contracts.steps import Step
from tests.conftest import Counts
from tests.e2e.checkout.moments import COMES_WITHIN_S
from tests.e2e.checkout.scene import Scene
from tests.waiting import become

pytestmark = pytest.mark.asyncio(loop_scope="package")

PAUSED = "orders-1"
LONGEST_S = 300.0
TRANSACTION_S = 3.0  # far longer than any of the other replica's takes
HEARD = 0.5  # of the peers that have done the step when its driver is paused
FORWARD = (Step.RESERVE, Step.AUTHORIZE, Step.CAPTURE, Step.CONFIRM)


@pytest.mark.long
@pytest.mark.timeout(1200)
async def test_a_driver_that_stood_still_changes_nothing_when_it_goes_on(scene: Scene, counts: Counts) -> None:
    random = Random(5)
    for _ in range(counts(1, 8)):
        await stand_still(scene, random)


async def stand_still(scene: Scene, random: Random) -> None:
    """One replica is paused while orders wait for an answer to each step: whose they are is chance, as in life."""
    traps = [scene.wire.catch(step.capitalize()) for step in FORWARD]
    async with asyncio.TaskGroup() as group:
        for customer in scene.customers.values():
            group.create_task(customer.insist(uuid.uuid4().hex))
        held = await asyncio.wait_for(asyncio.gather(*traps), COMES_WITHIN_S)
        for each in held:
            if random.random() < HEARD:
                each.forward()
        await pause_between_transactions(scene)
        await scene.assert_sound_at_rest()
        await asyncio.to_thread(scene.system.supervisor.resume, PAUSED)
        for each in held:
            each.go_on()
    await scene.healed()
    await scene.assert_sound_at_rest()


async def pause_between_transactions(scene: Scene) -> None:
    """A process that stands still within a transaction keeps SQLite's one lock, and nobody could write until it goes on."""
    async with scene.books.looking("orders") as look:

        async def nobody_writes() -> None:
            assert not await look.writing()

        while True:
            await asyncio.to_thread(scene.system.supervisor.pause, PAUSED, LONGEST_S)
            try:
                return await become(nobody_writes, TRANSACTION_S)
            except AssertionError:
                await asyncio.to_thread(scene.system.supervisor.resume, PAUSED)

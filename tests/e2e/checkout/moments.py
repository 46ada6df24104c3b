"""The moments of a checkout at which something can be killed: before, while and after each step is done."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from random import Random

from services.contracts.payments.v1.payments_pb2 import VoidRequest
from services.contracts.steps import Step
from tests.e2e.checkout.scene import Scene
from tests.e2e.checkout.wire import Call, Caught

COMES_WITHIN_S = 180.0

EVERYBODY = ("gateway", "orders", "inventory", "payments")
_OF_INVENTORY = frozenset({Step.RESERVE, Step.CONFIRM, Step.RELEASE})


class Where(StrEnum):
    """How far the step's call has come."""

    ASKED = "asked"  # orders has stored that it comes next, and the peer knows nothing of it
    WORKING = "working"  # the peer is in the middle of it
    ANSWERED = "answered"  # the peer has done it, and orders knows nothing of that


@dataclass(frozen=True)
class Moment:
    """`victims` are the services whose processes are killed."""

    step: Step
    where: Where
    victims: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.step} {self.where}: {', '.join(self.victims)}"


def _peer(step: Step) -> str:
    return "inventory" if step in _OF_INVENTORY else "payments"


MOMENTS = (
    *(Moment(step, where, ("orders",)) for step in Step for where in (Where.ASKED, Where.ANSWERED)),
    *(Moment(step, Where.WORKING, (_peer(step),)) for step in Step),
    *(Moment(step, Where.ANSWERED, EVERYBODY) for step in Step),
)
"""Each step with each kind of death."""


async def strike(scene: Scene, moment: Moment, random: Random) -> Call | None:
    """Waits for the moment and kills. The request that is still on its way then, if it is to arrive much later."""
    victims = _victims(await scene.processes(), moment, random)
    while not await _come(scene, moment, caught := await _caught(scene, moment.step)):
        caught.go_on()  # it was too quick; there will be others
    await scene.kill(victims)
    caught.lose()
    if moment.where is not Where.ASKED:
        return None
    return await _after_death(scene, caught.call, random.choice(("lost", "soon", "late")))


def _victims(running: Mapping[str, int], moment: Moment, random: Random) -> Mapping[str, int]:
    """Pids by instance: all replicas when everybody dies, else one of a service."""
    fitting = [name for name in running if name.rpartition("-")[0] in moment.victims]
    chosen = fitting if moment.victims == EVERYBODY else [random.choice(fitting)]
    return {name: running[name] for name in chosen}


async def _after_death(scene: Scene, call: Call, fate: str) -> Call | None:
    """A request whose sender has died may be lost, or arrive before the order is carried on, or long after."""
    if fate == "soon":
        await scene.wire.deliver(call)
    return call if fate == "late" else None


async def _come(scene: Scene, moment: Moment, caught: Caught) -> bool:
    """Whether the call is where it should be for the kill."""
    if moment.where is Where.ASKED:
        return True
    if moment.where is Where.WORKING:
        return await _in_the_middle(scene, moment.step, caught)
    return await _answered(caught)


async def _answered(caught: Caught) -> bool:
    """Lets the peer have it; returns when it has answered, False where its caller did not wait for that."""
    caught.forward()
    await asyncio.wait_for(caught.answered.wait(), COMES_WITHIN_S)
    return not caught.given_up


async def _in_the_middle(scene: Scene, step: Step, caught: Caught) -> bool:
    """Lets the peer have it; returns as soon as it is in the middle of it, False where that was not seen."""
    async with scene.books.looking(_peer(step)) as look:
        works = look.writing if step in _OF_INVENTORY else partial(look.charging, order_of(caught.call))
        caught.forward()
        while not caught.answered.is_set():
            if await works():
                return not caught.answered.is_set()
    return False


async def _caught(scene: Scene, step: Step) -> Caught:
    """The next call of a step."""
    if step is Step.VOID:
        return await _caught_void(scene)
    return await asyncio.wait_for(scene.wire.catch(step.capitalize()), COMES_WITHIN_S)


async def _caught_void(scene: Scene) -> Caught:
    """The void of an order whose customer cancels it while its money is being set aside."""
    while not await _answered(authorize := await _caught(scene, Step.AUTHORIZE)):
        authorize.go_on()
    order_id = order_of(authorize.call)
    await scene.customers[await scene.books.owner(order_id)].cancel(order_id)
    void = scene.wire.catch("Void")
    authorize.go_on()
    return await asyncio.wait_for(void, COMES_WITHIN_S)


def order_of(call: Call) -> str:
    """The order that the step is of. The first field of every step's request is its order's id."""
    return VoidRequest.FromString(call.request).order_id

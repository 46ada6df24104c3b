"""A shop in which a test decides, at every crossing, who goes on, and what becomes of what they ask for.

An actor is somebody who drives an order: a request, its repetition, a cancellation, the recovery. It waits before every
transaction of orders, every call to a peer, and every call of payments to the card provider.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, TypeVar

from services.chassis.errors import FaultlineError, PeerUnavailableError, ProblemError
from services.contracts.steps import Step
from services.orders.ports import Orders, OrderStore
from services.payments.domain import Payment
from services.payments.ports import CardProvider
from tests.fakes.orders import Wire
from tests.fakes.shop import Shop
from tests.fakes.transactions import EDGE

T = TypeVar("T")


class Fate(StrEnum):
    """What becomes of what an actor asks for; the actor cannot tell the last three from each other."""

    WELL = "well"
    REQUEST_LOST = "request lost"
    ANSWER_LOST = "answer lost"
    LATE = "late"  # the request arrives when its sender has given up


class Killed(BaseException):
    """What ends an actor that will never go on: its process has died."""


@dataclass(eq=False)
class Actor:
    """`waiting` is set while it stands at a crossing."""

    what: str
    waiting: asyncio.Future[Fate] | None = None
    task: asyncio.Task[None] | None = None

    @property
    def done(self) -> bool:
        return self.task is not None and self.task.done()


_current: ContextVar[Actor | None] = ContextVar("actor", default=None)


async def crossing() -> Fate:
    """Waits for the test's decision. Who is no actor goes on."""
    actor = _current.get()
    if actor is None:
        return Fate.WELL
    actor.waiting = asyncio.get_running_loop().create_future()
    try:
        return await actor.waiting
    finally:
        actor.waiting = None


@dataclass
class Crossroads:
    """`late` are the requests that will arrive some time."""

    shop: Shop
    actors: list[Actor] = field(default_factory=list)
    late: list[Callable[[], Awaitable[object]]] = field(default_factory=list)
    charges: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        it = self.shop
        it.deps = replace(it.deps, store=_Store(it.deps.store))
        it.inventory_peer.wire = _Wire(it.inventory_peer.wire.edge, late=self.late)
        it.payments_peer.wire = _Wire(it.payments_peer.wire.edge, late=self.late)
        provider = _Provider(it.provider, it.provider.books, self.charges)
        it.payments_peer.deps = replace(it.payments_peer.deps, provider=provider)

    async def begin(self, what: str, work: Coroutine[Any, Any, None]) -> Actor:
        """A new actor, which goes to its first crossing."""
        actor = Actor(what)
        self.actors.append(actor)
        actor.task = asyncio.create_task(_as(actor, work))
        await self._settled(actor)
        return actor

    async def go_on(self, actor: Actor, fate: Fate) -> None:
        """To the next crossing, or the end."""
        if actor.waiting:
            actor.waiting.set_result(fate)
            actor.waiting = None
            await self._settled(actor)

    async def kill(self, actor: Actor) -> None:
        """Nothing that it would do is done, not even what it does when it fails."""
        while actor.waiting:
            actor.waiting.set_exception(Killed())
            actor.waiting = None
            await self._settled(actor)

    async def deliver(self, index: int) -> None:
        """A late request arrives; nobody hears the answer."""
        await _unheard(self.late.pop(index))

    async def _settled(self, actor: Actor) -> None:
        while not actor.waiting and not actor.done:  # noqa: ASYNC110 -- one turn of the loop, not a time
            await asyncio.sleep(0)
        if actor.done:
            self.actors.remove(actor)
            if actor.task:
                await actor.task


async def _as(actor: Actor, work: Coroutine[Any, Any, None]) -> None:
    _current.set(actor)
    try:
        await work
    except Killed:
        return


async def _unheard(call: Callable[[], Awaitable[object]]) -> None:
    try:
        await call()
    except FaultlineError:
        return


@dataclass
class _Store:
    """An OrderStore."""

    store: OrderStore

    async def read(self, operation: str, work: Callable[[Orders], Awaitable[T]]) -> T:
        return await self._within(operation, lambda: self.store.read(operation, work))

    async def write(self, operation: str, work: Callable[[Orders], Awaitable[T]]) -> T:
        return await self._within(operation, lambda: self.store.write(operation, work))

    async def _within(self, operation: str, call: Callable[[], Awaitable[T]]) -> T:
        fate = await crossing()
        if fate is Fate.WELL:
            return await call()
        if fate is Fate.ANSWER_LOST:
            await _unheard(call)
        raise PeerUnavailableError(EDGE, operation, fate, retry_after=1.0)


@dataclass
class _Wire(Wire):
    late: list[Callable[[], Awaitable[object]]] = field(default_factory=list)

    async def ask(self, step: Step, call: Callable[[], Awaitable[T]]) -> T:
        fate = await crossing()
        if fate is Fate.WELL:
            return await self._answer(step, call)
        if fate is Fate.ANSWER_LOST:
            await _unheard(call)
        if fate is Fate.LATE:
            self.late.append(call)
        raise PeerUnavailableError(self.edge, step, fate, retry_after=1.0)


@dataclass
class _Provider:
    """A CardProvider; `charges` are the entries in its books, by order, each when it was made."""

    provider: CardProvider
    books: dict[str, str]
    charges: dict[str, list[str]]

    async def authorize(self, payment: Payment) -> bool:
        return await self._within(payment, lambda: self.provider.authorize(payment))

    async def capture(self, payment: Payment) -> None:
        await self._within(payment, lambda: self.provider.capture(payment))

    async def void(self, payment: Payment) -> None:
        await self._within(payment, lambda: self.provider.void(payment))

    async def refund(self, payment: Payment) -> None:
        await self._within(payment, lambda: self.provider.refund(payment))

    async def _within(self, payment: Payment, call: Callable[[], Awaitable[T]]) -> T:
        fate = await crossing()
        if fate in {Fate.REQUEST_LOST, Fate.LATE}:
            raise ProblemError("payment-provider-failed", fate)
        answer = await call()
        entries = self.charges.setdefault(payment.order_id, [])
        entry = self.books.get(payment.order_id)
        if entry and entries[-1:] != [entry]:
            entries.append(entry)
        if fate is Fate.ANSWER_LOST:
            raise ProblemError("payment-provider-failed", fate)
        return answer

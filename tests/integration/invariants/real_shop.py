"""The services' own use cases over real databases, with wires that lose and a provider that fails."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from random import Random
from typing import Final, Generic, TypeVar

from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from chaos.invariants import Acknowledged, status_of_answer
from services.chassis.errors import CallError, ProblemError
from services.chassis.principal import Principal
from services.contracts.errors import CATALOGUE
from services.inventory import use_cases as inventory
from services.inventory.repository import SqlStock
from services.orders import use_cases as orders
from services.orders.domain import Request
from services.orders.pace import Rules
from services.orders.ports import Dependencies
from services.orders.repository import SqlOrders
from services.payments.repository import SqlPayments
from tests.fakes.shop import ALICE, BOB, Shop, product, request, shop
from tests.integration.invariants.planting import Stores

View = TypeVar("View")
T = TypeVar("T")

PRODUCTS: Final = (product("p-1", 500, 40), product("p-2", 250, 3), product("p-3", 999, 0))
_CARDS: Final = ("pm_card_visa", "pm_card_visa", "pm_card_visa", "pm_card_declined")
_LOSSES: Final = ("", "", "", "", "request", "answer")
_TIMES_S: Final = (0.0, 0.5, 2.0, 6.0)
_HOLD_US: Final = 20_000_000
_RULES: Final = Rules(give_up_after_us=30_000_000, backoff_max_us=4_000_000)
_FAILURES: Final = ("", "", "", "", "before", "after")


class SqlStore(Generic[View]):
    """Runs work in transactions of a database."""

    def __init__(self, engine: AsyncEngine, view: Callable[[AsyncSession], View]) -> None:
        self._engine, self._view = engine, view

    async def read(self, _: str, work: Callable[[View], Awaitable[T]]) -> T:
        async with AsyncSession(self._engine, expire_on_commit=False) as session, session.begin():
            return await work(self._view(session))

    async def write(self, operation: str, work: Callable[[View], Awaitable[T]]) -> T:
        return await self.read(operation, work)


@dataclass(frozen=True)
class Checkout:
    """What a customer asks for; asked for again it is the same order."""

    principal: Principal
    key: str
    request: Request


@dataclass
class RealShop:
    """Its clients remember what they were told."""

    shop: Shop
    deps: Dependencies
    told: list[Acknowledged]

    async def ask(self, checkout: Checkout) -> None:
        """Sends it once. What the answer says of an order is remembered, where it names one."""
        try:
            order = await orders.checkout(self.deps, checkout.principal, checkout.key, checkout.request)
            self._hear(checkout, order.order_id, 201, "")
        except ProblemError as problem:
            order_id = problem.extensions.get("order_id")
            if order_id:
                self._hear(checkout, order_id, CATALOGUE[problem.slug].http_status, problem.slug)

    async def cancel(self, told: Acknowledged) -> None:
        """Asks once for the cancellation of an order of which somebody was told."""
        principal = {each.user_id: each for each in (ALICE, BOB)}[told.user_id]
        asked = Acknowledged(told.order_id, told.user_id, None, "pending", cancellation_asked=True)
        self.told.append(asked)
        with suppress(ProblemError):
            order = await orders.cancel_order(self.deps, principal, told.order_id)
            self.told.append(replace(asked, status=order.status))

    async def look_after(self) -> int:
        """What the services do by themselves: carry on what is due, give back what has expired. How much was due."""
        await inventory.expire(self.shop.inventory_peer.deps, 50)
        due = await orders.due_orders(self.deps, 50)
        for order in due:
            with suppress(CallError):
                await orders.recover(self.deps, order)
        return len(due)

    def trouble(self, random: Random) -> None:
        """Decides what the next calls will meet, and lets time pass."""
        self.shop.clock.advance(random.choice(_TIMES_S))
        self.shop.inventory_peer.wire.losses[:] = random.choices(_LOSSES, k=10)
        self.shop.payments_peer.wire.losses[:] = random.choices(_LOSSES, k=10)
        self.shop.provider.failures[:] = random.choices(_FAILURES, k=10)

    def peace(self) -> None:
        """Nothing is lost any more, and the leases of those who gave up have ended."""
        for each in (self.shop.inventory_peer.wire.losses, self.shop.payments_peer.wire.losses):
            each.clear()
        self.shop.provider.failures.clear()
        self.shop.clock.advance(seconds=60)

    def _hear(self, checkout: Checkout, order_id: str, http_status: int, slug: str) -> None:
        status = status_of_answer(http_status, slug)
        self.told.append(Acknowledged(order_id, checkout.principal.user_id, checkout.key, status))


@asynccontextmanager
async def opened(stores: Stores) -> AsyncIterator[RealShop]:
    """A shop whose services keep their data there."""
    engines = {name: create_async_engine(url) for name, url in stores.urls.items()}
    made = shop()
    stock = SqlStore(engines["inventory"], SqlStock)
    made.inventory_peer.deps = replace(made.inventory_peer.deps, store=stock, hold_for_us=_HOLD_US)
    made.payments_peer.deps = replace(made.payments_peer.deps, store=SqlStore(engines["payments"], SqlPayments))
    await inventory.add_catalogue(made.inventory_peer.deps, PRODUCTS)
    yield RealShop(made, replace(made.deps, store=SqlStore(engines["orders"], SqlOrders), rules=_RULES), [])
    for engine in engines.values():
        await engine.dispose()


def checkouts(random: Random, count: int) -> list[Checkout]:
    """Some of everything: two customers, many or few pieces, good and bad cards, unknown products."""
    return [Checkout(random.choice((ALICE, BOB)), f"key-{number}", _request(random)) for number in range(count)]


def _request(random: Random) -> Request:
    product_ids = random.sample(["p-1", "p-1", "p-2", "p-3", "p-9"], random.choice((1, 1, 2)))
    lines = [(each, random.choice((1, 1, 2, 5))) for each in dict.fromkeys(product_ids)]
    return request(*lines, payment_method=random.choice(_CARDS))

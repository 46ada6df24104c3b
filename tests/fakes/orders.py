"""An OrderStore in memory, a listener that remembers, and peers whose answers can be lost."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from services.chassis.edge import Edge
from services.chassis.errors import CallError, PeerFailedError, PeerUnavailableError, ProblemError
from services.chassis.principal import Principal
from services.contracts.errors import CATALOGUE
from services.contracts.money.money import Money
from services.contracts.steps import Step
from services.inventory import ports as inventory_ports
from services.inventory import use_cases as inventory
from services.inventory.domain import Line
from services.orders.domain import PREDECESSORS, IdempotencyRecord, Order, Reserved
from services.orders.ports import Orders, StepPostponedError
from services.payments import ports as payments_ports
from services.payments import use_cases as payments
from tests.fakes.transactions import MemoryStore

T = TypeVar("T")

TO_INVENTORY = Edge("orders", "inventory", "grpc")
TO_PAYMENTS = Edge("orders", "payments", "grpc")


@dataclass
class OrderData:
    """Orders by id, records by user and key."""

    orders: dict[str, Order] = field(default_factory=dict)
    records: dict[tuple[str, str], IdempotencyRecord] = field(default_factory=dict)


class MemoryOrders:
    """An Orders."""

    def __init__(self, data: OrderData) -> None:
        self._data = data

    async def add(self, order: Order, record: IdempotencyRecord) -> bool:
        if (record.user_id, record.key) in self._data.records:
            return False
        self._data.records[record.user_id, record.key] = record
        self._data.orders[order.order_id] = order
        return True

    async def record(self, user_id: str, key: str) -> IdempotencyRecord | None:
        return self._data.records.get((user_id, key))

    async def get(self, order_id: str) -> Order | None:
        return self._data.orders.get(order_id)

    async def save(self, order: Order) -> bool:
        stored = self._data.orders[order.order_id]
        if stored.version != order.version - 1 or stored.state not in PREDECESSORS[order.state]:
            return False
        self._data.orders[order.order_id] = order
        return True

    async def of_user(self, user_id: str, before: tuple[int, str] | None, limit: int) -> Sequence[Order]:
        mine = [each for each in self._data.orders.values() if each.user_id == user_id]
        older = [each for each in mine if before is None or _position(each) < before]
        return sorted(older, key=_position, reverse=True)[:limit]

    async def due(self, now_us: int, limit: int) -> Sequence[Order]:
        due = [(each.due_at_us, each) for each in self._data.orders.values() if each.due_at_us is not None]
        due.sort(key=lambda pair: pair[0])
        return [order for due_at_us, order in due if due_at_us <= now_us][:limit]

    async def hasten(self, now_us: int) -> None:
        for each in self._data.orders.values():
            if each.due_at_us is not None and each.due_at_us > now_us and each.leased_until_us is None:
                self._data.orders[each.order_id] = replace(each, due_at_us=now_us)


def _position(order: Order) -> tuple[int, str]:
    return order.created_at_us, order.order_id


def order_store() -> MemoryStore[OrderData, Orders]:
    return MemoryStore(OrderData(), MemoryOrders)


@dataclass
class Listener:
    """A CheckoutListener that remembers."""

    steps: list[tuple[Step, str]] = field(default_factory=list)
    turns: list[Order] = field(default_factory=list)
    endings: list[Order] = field(default_factory=list)

    def stepped(self, order: Order, step: Step) -> None:
        self.steps.append((step, order.state))

    def turned(self, order: Order) -> None:
        self.turns.append(order)

    def ended(self, order: Order) -> None:
        self.endings.append(order)


@dataclass
class Wire:
    """Between orders and a peer. `losses` is taken from its end, one for each call.

    "request" loses the request before the peer sees it, "answer" the answer after the peer has acted, "" nothing.
    `meanwhile` is what happens, by step, before the peer is asked.
    """

    edge: Edge
    losses: list[str] = field(default_factory=list)
    meanwhile: dict[Step, Callable[[], Awaitable[None]]] = field(default_factory=dict)

    async def ask(self, step: Step, call: Callable[[], Awaitable[T]]) -> T:
        if step in self.meanwhile:
            await self.meanwhile[step]()
        loss = self.losses.pop() if self.losses else ""
        if loss == "request":
            raise PeerUnavailableError(self.edge, step, "the request was lost", retry_after=1.0)
        answer = await self._answer(step, call)
        if loss == "answer":
            raise PeerUnavailableError(self.edge, step, "the answer was lost", retry_after=1.0)
        return answer

    async def _answer(self, step: Step, call: Callable[[], Awaitable[T]]) -> T:
        try:
            return await call()
        except ProblemError as problem:
            if CATALOGUE[problem.slug].http_status >= 500:
                raise PeerFailedError(self.edge, step, problem) from problem
            raise


class InventoryPeer:
    """An Inventory that is the real one's use cases, without a network between."""

    def __init__(self, deps: inventory_ports.Dependencies) -> None:
        self.deps, self.wire = deps, Wire(TO_INVENTORY)

    async def reserve(self, principal: Principal, order: Order) -> Reserved:
        lines = [Line(each.product_id, each.quantity) for each in order.lines]
        what = (order.order_id, lines)
        reservation = await self.wire.ask(Step.RESERVE, lambda: inventory.reserve(self.deps, principal, *what))
        prices = {each.product_id: each.unit_price for each in reservation.lines}
        return Reserved(prices, reservation.expires_at_us)

    async def confirm(self, principal: Principal, order: Order) -> None:
        await self.wire.ask(Step.CONFIRM, lambda: inventory.confirm(self.deps, principal, order.order_id))

    async def release(self, principal: Principal, order: Order) -> None:
        await self.wire.ask(Step.RELEASE, lambda: inventory.release(self.deps, principal, order.order_id))


class PaymentsPeer:
    """A Payments that is the real one's use cases, without a network between.

    `postpones`: where there is no answer, the step is left for later, as the real client has it with fallbacks in force.
    """

    def __init__(self, deps: payments_ports.Dependencies) -> None:
        self.deps, self.wire, self.postpones = deps, Wire(TO_PAYMENTS), False

    async def authorize(self, principal: Principal, order: Order) -> None:
        amount = order.total or Money(0, "")
        what = (order.order_id, amount, order.payment_method)
        await self._ask(order, Step.AUTHORIZE, lambda: payments.authorize(self.deps, principal, *what))

    async def capture(self, principal: Principal, order: Order) -> None:
        await self._ask(order, Step.CAPTURE, lambda: payments.capture(self.deps, principal, order.order_id))

    async def void(self, principal: Principal, order: Order) -> None:
        await self._ask(order, Step.VOID, lambda: payments.void(self.deps, principal, order.order_id))

    async def refund(self, principal: Principal, order: Order) -> None:
        await self._ask(order, Step.REFUND, lambda: payments.refund(self.deps, principal, order.order_id))

    async def _ask(self, order: Order, step: Step, call: Callable[[], Awaitable[object]]) -> None:
        try:
            await self.wire.ask(step, call)
        except CallError as error:
            if self.postpones:
                raise StepPostponedError(order) from error
            raise

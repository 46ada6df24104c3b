"""What the orders' use cases need from outside."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from services.chassis.errors import FaultlineError
from services.chassis.principal import Principal
from services.contracts.steps import Step
from services.orders.domain import IdempotencyRecord, Order, Reserved
from services.orders.pace import Rules

T = TypeVar("T")

Clock = Callable[[], int]
"""The time of day: microseconds since 1970 in UTC."""

NewId = Callable[[], str]
"""An order id that was never given before."""


class Inventory(Protocol):
    """The steps that inventory performs for an order, each once however often it is asked for.

    Each raises ProblemError when inventory refuses, CallError when it is not known what inventory did.
    """

    async def reserve(self, principal: Principal, order: Order) -> Reserved:
        """Sets the order's goods aside; asked for again, for longer."""

    async def confirm(self, principal: Principal, order: Order) -> None: ...

    async def release(self, principal: Principal, order: Order) -> None: ...


class StepPostponedError(FaultlineError):
    """The peer is away, and the order's step is left to whoever drives it later. Raised in place of a CallError."""

    def __init__(self, order: Order) -> None:
        super().__init__(f"{order.order_id} stays {order.state} until its next step can be done")
        self.order = order


class Payments(Protocol):
    """The steps that payments performs for an order, each once however often it is asked for.

    Each raises as Inventory's do, or StepPostponedError where payments is away and orders are to be kept for later.
    """

    async def authorize(self, principal: Principal, order: Order) -> None: ...

    async def capture(self, principal: Principal, order: Order) -> None: ...

    async def void(self, principal: Principal, order: Order) -> None: ...

    async def refund(self, principal: Principal, order: Order) -> None: ...


class Orders(Protocol):
    """The orders, seen within one transaction."""

    async def add(self, order: Order, record: IdempotencyRecord) -> bool:
        """Adds both, but neither where the user has used the key before: then False."""

    async def record(self, user_id: str, key: str) -> IdempotencyRecord | None:
        """What the user's key stands for."""

    async def get(self, order_id: str) -> Order | None:
        """The order. Within a writing transaction nobody else can change it until the end."""

    async def save(self, order: Order) -> bool:
        """Stores the next version of an order.

        But not where another one was stored first, nor where the stored state cannot come before its own: then False.
        """

    async def of_user(self, user_id: str, before: tuple[int, str] | None, limit: int) -> Sequence[Order]:
        """At most `limit` of the user's orders, newest first; those older than `before`: time (us) and order id."""

    async def due(self, now_us: int, limit: int) -> Sequence[Order]:
        """At most `limit` orders that the recovery is to look after by now, those first that have waited longest."""

    async def hasten(self, now_us: int) -> None:
        """Makes those orders due by now that the recovery would leave alone for longer; not what somebody drives."""


class OrderStore(Protocol):
    """Runs work in a transaction, which is undone when the work raises. Work may be run more than once."""

    async def read(self, operation: str, work: Callable[[Orders], Awaitable[T]]) -> T: ...

    async def write(self, operation: str, work: Callable[[Orders], Awaitable[T]]) -> T: ...


class CheckoutListener(Protocol):
    """Hears of the progress of checkouts; telemetry is one."""

    def stepped(self, order: Order, step: Step) -> None:
        """`step` was answered, and the order stored as it is now."""

    def turned(self, order: Order) -> None:
        """The order was turned back, and stored as it is now: it is cancelled, or has a refusal."""

    def ended(self, order: Order) -> None:
        """A checkout's driving has ended; the order is final, or pending because an answer is missing."""


@dataclass(frozen=True)
class Dependencies:
    """Everything a use case may use."""

    store: OrderStore
    inventory: Inventory
    payments: Payments
    listener: CheckoutListener
    clock: Clock
    new_id: NewId
    rules: Rules = field(default_factory=Rules)

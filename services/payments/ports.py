"""What the payments' use cases need from outside."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from services.payments.domain import Payment, PaymentState

T = TypeVar("T")

Clock = Callable[[], int]
"""The time of day: microseconds since 1970 in UTC."""


class CardProvider(Protocol):
    """The company that charges cards.

    Each operation is named by its payment's order and takes effect once, however often it is asked for. Each raises
    ProblemError payment-provider-failed when the provider fails: whether it took effect is then not known.
    """

    async def authorize(self, payment: Payment) -> bool:
        """Sets the amount aside; False when the provider declines."""

    async def capture(self, payment: Payment) -> None:
        """Takes what was set aside."""

    async def void(self, payment: Payment) -> None:
        """Gives up what was set aside, if anything was."""

    async def refund(self, payment: Payment) -> None:
        """Gives back what was taken."""


class Payments(Protocol):
    """The payments, seen within one transaction."""

    async def get(self, order_id: str) -> Payment | None:
        """The order's payment. Within a writing transaction nobody else can change it until the end."""

    async def add(self, payment: Payment) -> bool:
        """Adds it, but not where the order has one: then False."""

    async def move(self, payment: Payment, before: PaymentState) -> bool:
        """Stores the payment's state and time, but not where it is no longer in `before`: then False."""


class PaymentStore(Protocol):
    """Runs work in a transaction, which is undone when the work raises. Work may be run more than once."""

    async def read(self, operation: str, work: Callable[[Payments], Awaitable[T]]) -> T: ...

    async def write(self, operation: str, work: Callable[[Payments], Awaitable[T]]) -> T: ...


@dataclass(frozen=True)
class Dependencies:
    """Everything a use case may use."""

    store: PaymentStore
    provider: CardProvider
    clock: Clock

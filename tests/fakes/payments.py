"""A PaymentStore in memory, and a card provider that remembers what it was asked."""

from dataclasses import dataclass, field

from services.chassis.errors import ProblemError
from services.contracts import payment_methods
from services.payments.domain import Payment, PaymentState
from services.payments.ports import Payments
from tests.fakes.transactions import MemoryStore

PaymentData = dict[str, Payment]


class MemoryPayments:
    """A Payments."""

    def __init__(self, data: PaymentData) -> None:
        self._data = data

    async def get(self, order_id: str) -> Payment | None:
        return self._data.get(order_id)

    async def add(self, payment: Payment) -> bool:
        return self._data.setdefault(payment.order_id, payment) is payment

    async def move(self, payment: Payment, before: PaymentState) -> bool:
        if self._data[payment.order_id].state is not before:
            return False
        self._data[payment.order_id] = payment
        return True


def payment_store() -> MemoryStore[PaymentData, Payments]:
    return MemoryStore({}, MemoryPayments)


@dataclass
class FakeProvider:
    """A CardProvider whose books say, per order, what was last done to its charge.

    `failures` is taken from its end, one for each call: "before" fails without effect, "after" fails with it.
    """

    books: dict[str, str] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    async def authorize(self, payment: Payment) -> bool:
        if payment.payment_method == payment_methods.DECLINED:
            self._note("authorize", payment, None)
            return False
        # Once it is settled in another way, the same key authorizes nothing again.
        self._note("authorize", payment, self.books.get(payment.order_id, "authorized"))
        return True

    async def capture(self, payment: Payment) -> None:
        self._note("capture", payment, self._once(payment, "authorized", "captured"))

    async def void(self, payment: Payment) -> None:
        before = "authorized" if payment.order_id in self.books else None
        self._note("void", payment, self._once(payment, before, "voided"))

    async def refund(self, payment: Payment) -> None:
        self._note("refund", payment, self._once(payment, "captured", "refunded"))

    def _once(self, payment: Payment, before: str | None, after: str) -> str | None:
        """`after`; or what is there, if that is not `before`: a key that was used takes no effect again."""
        there = self.books.get(payment.order_id)
        return after if there == before else there

    def _note(self, call: str, payment: Payment, entry: str | None) -> None:
        self.calls.append(call)
        failure = self.failures.pop() if self.failures else ""
        if failure == "before" or (payment.payment_method == payment_methods.FAILING and call == "authorize"):
            raise ProblemError("payment-provider-failed")
        if entry:
            self.books[payment.order_id] = entry
        if failure == "after":
            raise ProblemError("payment-provider-failed")

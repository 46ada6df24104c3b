"""Money: whole smallest units of one currency, so that sums are exact.

>>> Money(250, "EUR").times(2).plus(Money(99, "EUR"))
Money(amount_minor=599, currency='EUR')
"""

from collections.abc import Iterable
from dataclasses import dataclass

from services.contracts.money.v1 import money_pb2

EUR = "EUR"

CURRENCIES = frozenset({"CHF", EUR, "GBP", "USD"})
"""Those that are known here, by ISO 4217, each with a hundred smallest units."""

MAX_AMOUNT_MINOR = 1_000_000_000
"""The most that is paid at a time, in the smallest unit: well above the dearest order that there can be."""

CURRENCY_RULE = f"must be one of {', '.join(sorted(CURRENCIES))}"
AMOUNT_RULE = f"must be 1 to {MAX_AMOUNT_MINOR} of the smallest unit"


def is_currency(text: str) -> bool:
    return text in CURRENCIES


@dataclass(frozen=True)
class Money:
    """`amount_minor` in the smallest unit (cents), `currency` by ISO 4217."""

    amount_minor: int
    currency: str

    def times(self, quantity: int) -> "Money":
        return Money(self.amount_minor * quantity, self.currency)

    def plus(self, other: "Money") -> "Money":
        """The sum; raises ValueError where the currencies differ."""
        if self.currency != other.currency:
            raise ValueError(f"cannot add {other.currency} to {self.currency}")
        return Money(self.amount_minor + other.amount_minor, self.currency)


def total(amounts: Iterable[Money]) -> Money:
    """The sum of at least one amount; raises ValueError for none, or for two currencies."""
    result: Money | None = None
    for amount in amounts:
        result = amount if result is None else result.plus(amount)
    if result is None:
        raise ValueError("the sum of no amounts has no currency")
    return result


def to_proto(money: Money) -> money_pb2.Money:
    """`money` as it is sent."""
    return money_pb2.Money(amount_minor=money.amount_minor, currency=money.currency)


def from_proto(message: money_pb2.Money) -> Money:
    """What `message` says; an absent message is nothing of no currency."""
    return Money(message.amount_minor, message.currency)

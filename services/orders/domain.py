"""Orders and the checkout's states: the rules, without I/O.

An order is committed first, then driven from state to state. Each state has one step, which is asked of a peer; the
peer does it (below: the arrow to the right or down) or refuses (the other arrow). No answer changes nothing: the step
is asked for again, with the same key, by whoever drives the order next.

    created --reserve--> reserved --authorize--> authorized --capture--> captured --confirm--> confirmed
       |                    |                        |                      |
       | refused            | refused                | refused              | refused
       |                    |                        v                      v
       |                    |                     voiding --refused-->  refunding
       |                    |                        | void                 | refund
       |                    v                        |                      |
       |                 releasing <-----------------+----------------------+
       |                    | release
       |                    v
       +---------------> rejected                                            (cancelled)

`confirmed`, `rejected` and `cancelled` are final. `cancelled` is where a cancellation will end.
Outside, an order is `pending` until it is final.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Literal

from services.chassis.errors import FieldError, ProblemError
from services.contracts.lines import wrong_fields
from services.contracts.money.money import Money, total
from services.contracts.payment_methods import PAYMENT_METHODS
from services.contracts.steps import Step


class OrderState(StrEnum):
    """How far an order is; see the module."""

    CREATED = "created"
    RESERVED = "reserved"
    AUTHORIZED = "authorized"
    CAPTURED = "captured"
    CONFIRMED = "confirmed"
    VOIDING = "voiding"
    REFUNDING = "refunding"
    RELEASING = "releasing"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


MAX_KEY_LENGTH = 255
"""Characters of an Idempotency-Key."""

LEASE_US = 5_000_000
"""How long whoever drives an order keeps others waiting at most, in microseconds: longer than a request may take."""

Status = Literal["pending", "confirmed", "rejected", "cancelled"]

_FINAL: Mapping[OrderState, Status] = MappingProxyType(
    {
        OrderState.CONFIRMED: "confirmed",
        OrderState.REJECTED: "rejected",
        OrderState.CANCELLED: "cancelled",
    }
)


@dataclass(frozen=True)
class Transition:
    """The one step out of a state: where it leads when it is done, and when the peer refuses it by `refusals`.

    A step that has no `refusals` must succeed in the end, and is asked for until it does.
    """

    step: Step
    done: OrderState
    refused: OrderState | None = None
    refusals: frozenset[str] = frozenset()


TRANSITIONS: Mapping[OrderState, Transition] = MappingProxyType(
    {
        OrderState.CREATED: Transition(
            Step.RESERVE,
            OrderState.RESERVED,
            OrderState.REJECTED,
            frozenset({"out-of-stock", "unknown-product", "reservation-closed"}),
        ),
        OrderState.RESERVED: Transition(
            Step.AUTHORIZE,
            OrderState.AUTHORIZED,
            OrderState.RELEASING,
            frozenset({"payment-declined", "unknown-payment-method", "payment-closed"}),
        ),
        OrderState.AUTHORIZED: Transition(
            Step.CAPTURE, OrderState.CAPTURED, OrderState.VOIDING, frozenset({"payment-closed"})
        ),
        OrderState.CAPTURED: Transition(
            Step.CONFIRM, OrderState.CONFIRMED, OrderState.REFUNDING, frozenset({"reservation-closed"})
        ),
        OrderState.VOIDING: Transition(
            Step.VOID, OrderState.RELEASING, OrderState.REFUNDING, frozenset({"payment-closed"})
        ),
        OrderState.REFUNDING: Transition(Step.REFUND, OrderState.RELEASING),
        OrderState.RELEASING: Transition(Step.RELEASE, OrderState.REJECTED),
    }
)
"""State → its step; a state without one is final. What is not in here cannot happen to an order."""


@dataclass(frozen=True)
class Refusal:
    """Why an order came to nothing: a slug of the error catalogue, and what its problem said."""

    reason: str
    detail: str
    errors: tuple[FieldError, ...] = ()


@dataclass(frozen=True)
class OrderLine:
    """One product of an order; its price is known once it is reserved."""

    product_id: str
    quantity: int
    unit_price: Money | None = None


@dataclass(frozen=True)
class Order:
    """One order. Times are microseconds since 1970 in UTC.

    `version` grows with each stored change. `leased_until_us` is set while somebody drives it, so that others wait;
    safety does not rest on it but on `version` and on the steps taking effect once.
    """

    order_id: str
    user_id: str
    client_id: str
    state: OrderState
    lines: tuple[OrderLine, ...]
    payment_method: str
    created_at_us: int
    updated_at_us: int
    refusal: Refusal | None = None
    leased_until_us: int | None = None
    version: int = 1

    @property
    def status(self) -> Status:
        return _FINAL.get(self.state, "pending")

    @property
    def is_final(self) -> bool:
        return self.state in _FINAL

    @property
    def total(self) -> Money | None:
        """The sum of its lines; None until all have prices."""
        prices = [each.unit_price.times(each.quantity) for each in self.lines if each.unit_price]
        return total(prices) if len(prices) == len(self.lines) else None

    def priced(self, prices: Mapping[str, Money]) -> "Order":
        """With the unit prices of its products; raises KeyError where one is missing."""
        return replace(self, lines=tuple(replace(each, unit_price=prices[each.product_id]) for each in self.lines))

    def done(self) -> "Order":
        """After its state's step was done."""
        return self._moved(TRANSITIONS[self.state].done)

    def refused(self, refusal: Refusal) -> "Order":
        """After its state's step was refused. The first refusal is why the order came to nothing."""
        after = TRANSITIONS[self.state].refused
        if after is None:
            raise ValueError(f"{self.order_id}: {self.state} has no way on from a refusal")
        return replace(self._moved(after), refusal=self.refusal or refusal)

    def claimed(self, now_us: int) -> "Order":
        """The next version, kept for whoever stores it; for nobody once it is final."""
        until = None if self.is_final else now_us + LEASE_US
        return replace(self, version=self.version + 1, updated_at_us=now_us, leased_until_us=until)

    def let_go(self, now_us: int) -> "Order":
        """The next version, for anybody to drive."""
        return replace(self, version=self.version + 1, updated_at_us=now_us, leased_until_us=None)

    def is_leased(self, now_us: int) -> bool:
        """Whether somebody drives it, so that others wait."""
        return self.leased_until_us is not None and self.leased_until_us > now_us

    def _moved(self, state: OrderState) -> "Order":
        return replace(self, state=state)


@dataclass(frozen=True)
class Request:
    """What a customer asks for."""

    lines: tuple[OrderLine, ...]
    payment_method: str

    def fingerprint(self) -> str:
        """64 hex digits, the same for the same request and for no other."""
        content = [[each.product_id, each.quantity] for each in self.lines]
        text = json.dumps([content, self.payment_method], separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class IdempotencyRecord:
    """That a user's key stands for one request and the order made of it."""

    user_id: str
    key: str
    fingerprint: str
    order_id: str
    created_at_us: int


def placed(order_id: str, user_id: str, client_id: str, request: Request, now_us: int) -> Order:
    """A new order, kept for whoever stores it."""
    until = now_us + LEASE_US
    what = (request.lines, request.payment_method)
    return Order(order_id, user_id, client_id, OrderState.CREATED, *what, now_us, now_us, leased_until_us=until)


def check_request(request: Request) -> None:
    """Raises ProblemError validation-failed or unknown-payment-method, naming each wrong field."""
    if wrong := wrong_fields([(each.product_id, each.quantity) for each in request.lines]):
        errors = [FieldError(*each) for each in wrong]
        raise ProblemError("validation-failed", "the order has lines that cannot be", errors=errors)
    if request.payment_method not in PAYMENT_METHODS:
        errors = [FieldError("payment_method", f"must be one of {', '.join(PAYMENT_METHODS)}")]
        raise ProblemError("unknown-payment-method", "the payment method cannot be charged", errors=errors)


def check_key(key: str) -> None:
    """Raises ProblemError idempotency-key-missing or validation-failed."""
    if not key:
        raise ProblemError("idempotency-key-missing", "send the header Idempotency-Key")
    if len(key) > MAX_KEY_LENGTH or not key.isprintable() or not key.isascii():
        errors = [FieldError("Idempotency-Key", f"must be 1 to {MAX_KEY_LENGTH} printable ASCII characters")]
        raise ProblemError("validation-failed", "the key is not one that can be kept", errors=errors)

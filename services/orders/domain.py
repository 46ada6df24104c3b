"""Orders and the checkout's states: the rules, without I/O.

An order is committed first, then driven from state to state. Each state has one step, which is asked of a peer; the
peer does it (below: the arrow to the right or down) or refuses (the other arrow). No answer changes nothing: the step
is asked for again, with the same key, by whoever drives the order next: the request, its repetition, or the recovery.

    created --reserve--> reserved --authorize--> authorized --capture--> captured --confirm--> confirmed
       |                    |                        |                      |
       | refused            | refused                | refused              | refused
       |                    |                        v                      v
       |                    |                     voiding --refused-->  refunding
       |                    |                        | void                 | refund
       |                    v                        |                      |
       |                 releasing <-----------------+----------------------+
       |                    | release
       v                    v
    rejected             rejected, or cancelled

An order that is cancelled or given up turns back without asking anybody:

    from   created     reserved   authorized   captured               confirmed
    to     releasing   voiding    voiding      refunding, cancelled   refunding, cancelled

Cancelled. An order can be cancelled until it is rejected, also while a step is in flight and after it was confirmed, for
nothing of it has left the shop: the money is given back, the goods are free again, and it ends `cancelled`. Who cancels
leaves a mark on the order; who drives it finds the mark when it stores its next change, and turns back from there. An
order that ended `rejected` cannot be cancelled: it came to nothing already.

Given up. An order that is not captured `Rules.give_up_after_us` after it was placed is undone, so that nobody is charged
when they no longer expect it, and ends `rejected`, with the reason in `GIVEN_UP`. What is captured is always carried
forward: an order given up whose `void` is refused was paid after all, and goes on as `captured`.

Unknown outcomes. When an order turns back, the answer to its last step may be missing. Nobody asks whether it was done:
a request still on its way could make that answer wrong. The first step back is itself the question: a peer settles
`void`, `refund` and `release` whatever came before, refuses to void what was captured, and from then on refuses steps
that arrive late. Forward, the step is repeated with its key, which is the same question with the same safety.

Reservations expire. Before money is asked for, a reservation with less than `RENEW_BELOW_US` left is reserved again,
which extends it; if it has ended, the order is undone. What is captured is confirmed without looking: if the goods were
given back meanwhile, `confirm` is refused and the money returned.

`confirmed`, `rejected` and `cancelled` are final, but for the cancellation of what was confirmed.
Outside, an order is `pending` until it is final.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Literal

from services.chassis.errors import FieldError, ProblemError
from services.contracts.lines import wrong_fields
from services.contracts.money.money import Money, total
from services.contracts.payment_methods import PAYMENT_METHODS
from services.contracts.steps import Step
from services.orders.pace import BACKOFF_US, LEASE_US, RENEW_BELOW_US, Rules, backoff_us


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

    A step that has no `refusals` must succeed in the end, and is asked for until it does. `done_cancelled` is where it
    leads an order that was cancelled, `refused_given_up` one that was given up, where that is somewhere else.
    """

    step: Step
    done: OrderState
    refused: OrderState | None = None
    refusals: frozenset[str] = frozenset()
    done_cancelled: OrderState | None = None
    refused_given_up: OrderState | None = None

    @property
    def ways(self) -> frozenset[OrderState]:
        """All states that it can lead to."""
        every = (self.done, self.refused, self.done_cancelled, self.refused_given_up)
        return frozenset(each for each in every if each)


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
            Step.VOID,
            OrderState.RELEASING,
            OrderState.REFUNDING,
            frozenset({"payment-closed"}),
            refused_given_up=OrderState.CAPTURED,
        ),
        OrderState.REFUNDING: Transition(Step.REFUND, OrderState.RELEASING),
        OrderState.RELEASING: Transition(Step.RELEASE, OrderState.REJECTED, done_cancelled=OrderState.CANCELLED),
    }
)
"""State → its step; a state without one is final."""

TURNS: Mapping[OrderState, OrderState] = MappingProxyType(
    {
        OrderState.CREATED: OrderState.RELEASING,
        OrderState.RESERVED: OrderState.VOIDING,
        OrderState.AUTHORIZED: OrderState.VOIDING,
        OrderState.CAPTURED: OrderState.REFUNDING,
        OrderState.CONFIRMED: OrderState.REFUNDING,
    }
)
"""State → where an order that is to be undone goes from it, whatever became of the state's own step."""

GIVEN_UP: Mapping[OrderState, str] = MappingProxyType(
    {
        OrderState.CREATED: "inventory-unavailable",
        OrderState.RESERVED: "payment-unavailable",
        OrderState.AUTHORIZED: "payment-unavailable",
    }
)
"""State in which an order can be given up → why it then is rejected: whoever did not do their step."""


def successors(state: OrderState) -> frozenset[OrderState]:
    """The states an order can be stored in after `state`; itself until it is final. All others are impossible."""
    stepped = TRANSITIONS[state].ways | {state} if state in TRANSITIONS else frozenset()
    return stepped | {TURNS[state]} if state in TURNS else stepped


PREDECESSORS: Mapping[OrderState, frozenset[OrderState]] = MappingProxyType(
    {after: frozenset(each for each in OrderState if after in successors(each)) for after in OrderState}
)
"""The inverse of `successors`: what a store must hold for a change to be stored over it."""


@dataclass(frozen=True)
class Refusal:
    """Why an order came to nothing: a slug of the error catalogue, and what its problem said."""

    reason: str
    detail: str
    errors: tuple[FieldError, ...] = ()


@dataclass(frozen=True)
class Reserved:
    """What inventory set aside: unit prices by product, and until when (microseconds)."""

    prices: Mapping[str, Money]
    until_us: int


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
    safety does not rest on it but on `version` and on the steps taking effect once. `due_at_us` is when the recovery
    looks after it, None once it is final; `failures` are the drives in a row that came no further.
    `origin` is the traceparent of the request that placed it. An order has a `refusal` or `cancelled_at_us`, never both.
    `confirmed_at_us` stays when a confirmed order is cancelled: the checkout's answer was given then.
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
    reserved_until_us: int | None = None
    confirmed_at_us: int | None = None
    cancelled_at_us: int | None = None
    leased_until_us: int | None = None
    due_at_us: int | None = None
    failures: int = 0
    origin: str = ""
    version: int = 1

    @property
    def status(self) -> Status:
        return _FINAL.get(self.state, "pending")

    @property
    def is_final(self) -> bool:
        return self.state in _FINAL

    @property
    def is_given_up(self) -> bool:
        return self.refusal is not None and self.refusal.reason in GIVEN_UP.values()

    @property
    def total(self) -> Money | None:
        """The sum of its lines; None until all have prices."""
        prices = [each.unit_price.times(each.quantity) for each in self.lines if each.unit_price]
        return total(prices) if len(prices) == len(self.lines) else None

    def reserved(self, goods: Reserved) -> "Order":
        """With the unit prices of its products; raises KeyError where one is missing."""
        lines = tuple(replace(each, unit_price=goods.prices[each.product_id]) for each in self.lines)
        return replace(self, lines=lines, reserved_until_us=goods.until_us)

    def done(self) -> "Order":
        """After its state's step was done."""
        way = TRANSITIONS[self.state]
        return self._moved(way.done_cancelled or way.done if self.cancelled_at_us else way.done)

    def refused(self, refusal: Refusal) -> "Order":
        """After its state's step was refused. The first refusal is why the order came to nothing."""
        way = TRANSITIONS[self.state]
        if way.refused is None:
            raise ValueError(f"{self.order_id}: {self.state} has no way on from a refusal")
        if self.is_given_up and way.refused_given_up:
            return replace(self._moved(way.refused_given_up), refusal=None)
        why = None if self.cancelled_at_us else self.refusal or refusal
        return replace(self._moved(way.refused), refusal=why)

    def undone(self, refusal: Refusal | None) -> "Order":
        """Turned back; without a refusal for one that is cancelled."""
        return replace(self._moved(TURNS[self.state]), refusal=refusal)

    def turned(self, now_us: int, rules: Rules) -> "Order":
        """Turned back if it is cancelled or to be given up; itself if it is to go on."""
        if self.cancelled_at_us is not None and self.state in TURNS:
            return self.undone(None)
        if self.state in GIVEN_UP and now_us >= self.created_at_us + rules.give_up_after_us:
            return self.undone(_given_up(self.state, rules))
        return self

    def cancelled(self, now_us: int) -> "Order":
        """Marked as cancelled, for good: nothing else is then why it came to nothing.

        Raises ProblemError order-not-cancellable for one that is rejected.
        """
        if self.state is OrderState.REJECTED:
            names = {"order_id": self.order_id}
            raise ProblemError("order-not-cancellable", "The order was rejected.", extensions=names)
        return self if self.cancelled_at_us else replace(self, cancelled_at_us=now_us, refusal=None)

    def needs_renewal(self, now_us: int) -> bool:
        """Whether its goods are to be reserved again before money is asked for."""
        ends = self.reserved_until_us
        return self.state in _BEFORE_MONEY and ends is not None and ends - now_us < RENEW_BELOW_US

    def claimed(self, now_us: int) -> "Order":
        """The next version, kept for whoever stores it; for nobody once it is final."""
        until = None if self.is_final else now_us + LEASE_US
        confirmed = now_us if self.state is OrderState.CONFIRMED else self.confirmed_at_us
        return self._next(now_us, leased_until_us=until, due_at_us=until, confirmed_at_us=confirmed)

    def noted(self, now_us: int) -> "Order":
        """The next version, still kept for whom it is kept for."""
        return self._next(now_us)

    def let_go(self, now_us: int, rules: Rules) -> "Order":
        """The next version, for anybody to drive who is asked to, and later for the recovery."""
        due = now_us + backoff_us(self.failures, rules)
        if self.state in GIVEN_UP:
            # Not long after it can be given up: its customer waits for that.
            due = min(due, max(now_us + BACKOFF_US, self.created_at_us + rules.give_up_after_us))
        return self._next(now_us, leased_until_us=None, due_at_us=due, failures=self.failures + 1)

    def is_leased(self, now_us: int) -> bool:
        """Whether somebody drives it, so that others wait."""
        return self.leased_until_us is not None and self.leased_until_us > now_us

    def as_answered(self) -> "Order":
        """As its checkout was answered, if it was: a confirmed order stays so, though it was cancelled later."""
        if self.confirmed_at_us is None:
            return self
        return replace(self, state=OrderState.CONFIRMED, cancelled_at_us=None)

    def _moved(self, state: OrderState) -> "Order":
        return replace(self, state=state, failures=0)

    def _next(self, now_us: int, **changes: Any) -> "Order":
        return replace(self, version=self.version + 1, updated_at_us=now_us, **changes)


_BEFORE_MONEY = frozenset({OrderState.RESERVED, OrderState.AUTHORIZED})


def _given_up(state: OrderState, rules: Rules) -> Refusal:
    detail = f"The order was not paid within {rules.give_up_after_us / 1_000_000:g} s and was given up."
    return Refusal(GIVEN_UP[state], detail)


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


def placed(order_id: str, user_id: str, client_id: str, request: Request, now_us: int, origin: str = "") -> Order:
    """A new order, kept for whoever stores it; `origin` is the traceparent of who asks for it."""
    who, what, until = (order_id, user_id, client_id), (request.lines, request.payment_method), now_us + LEASE_US
    order = Order(*who, OrderState.CREATED, *what, now_us, now_us, origin=origin)
    return replace(order, leased_until_us=until, due_at_us=until)


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

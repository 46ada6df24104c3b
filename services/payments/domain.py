"""Payments: the rules, without I/O.

One payment per order. What is to happen at the card provider is stored before the provider is asked, so that after a
crash, or an answer that was lost, it is known what to ask again; the provider's keys make asking again harmless.

             Authorize               approved                Capture
    (none) ------------> authorizing ---------> authorized ----------> capturing ---> captured
       |                   |      | declined        |                                    |
       |                   |      +-----> declined  | Void                               | Refund
       | Void         Void |                        |                                    v
       |                   +----> voiding <---------+                                refunding
       |                             |                                                   |
       +---------> voided <----------+                                    refunded <-----+

Nothing leads from `capturing` to `voiding`: a Void that meets a capture under way finishes the capture and is then
refused; a Refund finishes it and then refunds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType

from services.chassis.errors import FieldError, ProblemError
from services.contracts.money.money import AMOUNT_RULE, CURRENCY_RULE, MAX_AMOUNT_MINOR, Money, is_currency
from services.contracts.payment_methods import PAYMENT_METHODS
from services.contracts.steps import Step


class PaymentState(StrEnum):
    """Where a payment stands; see the module."""

    AUTHORIZING = "authorizing"
    AUTHORIZED = "authorized"
    DECLINED = "declined"
    CAPTURING = "capturing"
    CAPTURED = "captured"
    VOIDING = "voiding"
    VOIDED = "voided"
    REFUNDING = "refunding"
    REFUNDED = "refunded"


BEGINS: Mapping[tuple[PaymentState, Step], PaymentState] = MappingProxyType(
    {
        (PaymentState.AUTHORIZING, Step.VOID): PaymentState.VOIDING,
        (PaymentState.AUTHORIZED, Step.VOID): PaymentState.VOIDING,
        (PaymentState.AUTHORIZED, Step.CAPTURE): PaymentState.CAPTURING,
        (PaymentState.CAPTURED, Step.REFUND): PaymentState.REFUNDING,
    }
)
"""What a step makes of a payment in a state: the transitions that the caller decides."""

ENDS: Mapping[PaymentState, PaymentState] = MappingProxyType(
    {
        PaymentState.AUTHORIZING: PaymentState.AUTHORIZED,
        PaymentState.CAPTURING: PaymentState.CAPTURED,
        PaymentState.VOIDING: PaymentState.VOIDED,
        PaymentState.REFUNDING: PaymentState.REFUNDED,
    }
)
"""What the provider's consent makes of a payment that is under way."""

SATISFIED: Mapping[Step, frozenset[PaymentState]] = MappingProxyType(
    {
        Step.AUTHORIZE: frozenset({PaymentState.AUTHORIZED, PaymentState.CAPTURING, PaymentState.CAPTURED}),
        Step.CAPTURE: frozenset({PaymentState.CAPTURED}),
        Step.VOID: frozenset({PaymentState.VOIDED, PaymentState.DECLINED}),
        Step.REFUND: frozenset({PaymentState.REFUNDED}),
    }
)
"""The states in which a step has taken effect already, so that asking again gets the same answer."""


@dataclass(frozen=True)
class Payment:
    """The charge of one order. Amount and method are absent where it was voided before it began.

    Times are microseconds since 1970 in UTC.
    """

    order_id: str
    state: PaymentState
    amount: Money | None
    payment_method: str
    created_at_us: int
    updated_at_us: int

    @property
    def under_way(self) -> bool:
        """The provider has been, or is to be, asked, and its answer is not stored."""
        return self.state in ENDS

    def moved(self, state: PaymentState, now_us: int) -> "Payment":
        return replace(self, state=state, updated_at_us=now_us)


def authorizing(order_id: str, amount: Money, payment_method: str, now_us: int) -> Payment:
    """A new payment."""
    return Payment(order_id, PaymentState.AUTHORIZING, amount, payment_method, now_us, now_us)


def never_begun(order_id: str, now_us: int) -> Payment:
    """The payment of an order that was voided before it was authorized."""
    return Payment(order_id, PaymentState.VOIDED, None, "", now_us, now_us)


def check_charge(amount: Money, payment_method: str) -> None:
    """Raises ProblemError validation-failed or unknown-payment-method."""
    if not 1 <= amount.amount_minor <= MAX_AMOUNT_MINOR:
        errors = [FieldError("amount", f"{AMOUNT_RULE}, not {amount.amount_minor}")]
        raise ProblemError("validation-failed", "that cannot be charged", errors=errors)
    if not is_currency(amount.currency):
        errors = [FieldError("amount.currency", CURRENCY_RULE)]
        raise ProblemError("validation-failed", "there is no such currency", errors=errors)
    if payment_method not in PAYMENT_METHODS:
        errors = [FieldError("payment_method", "must be a known token")]
        raise ProblemError("unknown-payment-method", "the payment method cannot be charged", errors=errors)


def check_same(payment: Payment, amount: Money, payment_method: str) -> None:
    """Raises ProblemError idempotency-key-reused where the payment was begun with something else."""
    begun = payment.amount is not None
    if begun and (payment.amount, payment.payment_method) != (amount, payment_method):
        raise ProblemError("idempotency-key-reused", f"{payment.order_id} was authorized for something else")


def answered(payment: Payment, step: Step) -> Payment:
    """The answer to `step` of a payment with which nothing is under way.

    Raises ProblemError payment-declined, or payment-closed where the step is not possible any more.
    """
    if payment.state in SATISFIED[step]:
        return payment
    if step is Step.AUTHORIZE and payment.state is PaymentState.DECLINED:
        raise ProblemError("payment-declined", "the card provider declined the charge")
    raise ProblemError("payment-closed", f"cannot {step} the payment of {payment.order_id}: it is {payment.state}")

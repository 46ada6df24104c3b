"""What payments does: one function per business action.

Each may raise ProblemError with the slugs named in `payments.proto`, besides forbidden and validation-failed, and
CallError where the store does not answer. Every step takes effect once, however often it is asked for.

Each step is the same loop: store what is to happen, have the provider do it, store that it happened. No transaction
is open while the provider is asked.
"""

from services.chassis.errors import ProblemError
from services.chassis.principal import Principal
from services.contracts.limits import MAX_ID_LENGTH, is_id
from services.contracts.money.money import Money
from services.contracts.scopes import ORDERS_WRITE
from services.contracts.steps import Step
from services.payments import domain
from services.payments.domain import Payment, PaymentState
from services.payments.ports import Dependencies, Payments

OPERATIONS = (
    *(f"begin_{step}" for step in (Step.AUTHORIZE, Step.CAPTURE, Step.VOID, Step.REFUND)),
    *(f"end_{state}" for state in domain.ENDS),
    "get_payment",
)
"""What the store is asked to do, by the names it has in telemetry."""


async def authorize(
    deps: Dependencies, principal: Principal, order_id: str, amount: Money, payment_method: str
) -> Payment:
    """Sets the order's amount aside."""
    _require(principal)
    domain.check_charge(amount, payment_method)

    new = domain.authorizing(order_id, amount, payment_method, deps.clock())
    payment = await _begin(deps, order_id, Step.AUTHORIZE, new)
    domain.check_same(payment, amount, payment_method)
    return await _perform(deps, payment, Step.AUTHORIZE)


async def capture(deps: Dependencies, principal: Principal, order_id: str) -> Payment:
    """Takes what was set aside."""
    _require(principal)
    return await _perform(deps, await _begin(deps, order_id, Step.CAPTURE), Step.CAPTURE)


async def void(deps: Dependencies, principal: Principal, order_id: str) -> Payment:
    """Gives up what was set aside, and sees to it that nothing is set aside for this order any more."""
    _require(principal)
    nothing = domain.never_begun(order_id, deps.clock())
    return await _perform(deps, await _begin(deps, order_id, Step.VOID, nothing), Step.VOID)


async def refund(deps: Dependencies, principal: Principal, order_id: str) -> Payment:
    """Gives back what was taken."""
    _require(principal)
    return await _perform(deps, await _begin(deps, order_id, Step.REFUND), Step.REFUND)


async def get_payment(deps: Dependencies, principal: Principal, order_id: str) -> Payment:
    """The order's payment, whatever its state: the way to settle an outcome that was not heard."""
    _require(principal)
    if not is_id(order_id):
        raise _no_payment(order_id)
    return await deps.store.read("get_payment", lambda payments: _existing(payments, order_id))


async def _perform(deps: Dependencies, payment: Payment, step: Step) -> Payment:
    """Finishes what is under way with `payment`, then `step` itself. Ends, as each round moves along the graph."""
    while payment.under_way:
        payment = await _ask_provider(deps, payment)
        if (payment.state, step) in domain.BEGINS:
            payment = await _begin(deps, payment.order_id, step)
    return domain.answered(payment, step)


async def _begin(deps: Dependencies, order_id: str, step: Step, new: Payment | None = None) -> Payment:
    """Stores that `step` is to happen, where the payment's state allows it; `new` where the order has no payment."""

    async def work(payments: Payments) -> Payment:
        if new and await payments.add(new):
            return new
        payment = await _existing(payments, order_id)
        after = domain.BEGINS.get((payment.state, step))
        return await _moved(deps, payments, payment, after) if after else payment

    return await deps.store.write(f"begin_{step}", work)


async def _ask_provider(deps: Dependencies, payment: Payment) -> Payment:
    """Has the provider do what is under way and stores that it did. Returns the payment as it is then."""
    after = await _at_provider(deps, payment)

    stored = await deps.store.write(f"end_{payment.state}", lambda payments: _moved(deps, payments, payment, after))
    if after is PaymentState.AUTHORIZED and stored.state in (PaymentState.VOIDING, PaymentState.VOIDED):
        # It was voided while the provider was setting the amount aside: the provider may have seen the void first.
        await deps.provider.void(payment)
    return stored


async def _at_provider(deps: Dependencies, payment: Payment) -> PaymentState:
    match payment.state:
        case PaymentState.AUTHORIZING:
            if not await deps.provider.authorize(payment):
                return PaymentState.DECLINED
        case PaymentState.CAPTURING:
            await deps.provider.capture(payment)
        case PaymentState.VOIDING:
            await deps.provider.void(payment)
        case PaymentState.REFUNDING:
            await deps.provider.refund(payment)
    return domain.ENDS[payment.state]


async def _moved(deps: Dependencies, payments: Payments, payment: Payment, state: PaymentState) -> Payment:
    """The payment as it is then: in `state`, unless somebody moved it first."""
    moved = payment.moved(state, deps.clock())
    if await payments.move(moved, payment.state):
        return moved
    return await _existing(payments, payment.order_id)


async def _existing(payments: Payments, order_id: str) -> Payment:
    payment = await payments.get(order_id)
    if payment is None:
        raise _no_payment(order_id)
    return payment


def _no_payment(order_id: str) -> ProblemError:
    return ProblemError("payment-not-found", f"no payment was begun for {order_id[:MAX_ID_LENGTH]!r}")


def _require(principal: Principal) -> None:
    if not principal.may(ORDERS_WRITE):
        raise ProblemError("forbidden", f"this needs the scope {ORDERS_WRITE}")

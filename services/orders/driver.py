"""Drives an order: asks for its state's step, stores the answer, and so on until the order is final.

Whoever drives holds the order's lease, so that two do not drive it at a time; if they do after all, each step takes
effect once, and of two that store the same progress one is told that it came second.
"""

import logging

from services.chassis.errors import CallError, ProblemError
from services.chassis.principal import Principal
from services.chassis.resilience import deadline
from services.contracts.steps import Step
from services.orders.domain import TRANSITIONS, Order, Refusal
from services.orders.ports import Dependencies

log = logging.getLogger(__name__)


async def drive(deps: Dependencies, principal: Principal, order: Order) -> Order:
    """Drives `order`, whose lease the caller holds, to a final state.

    Raises: CallError where an answer is missing: then the order is as far as it came, and free to be driven on;
    ProblemError idempotency-key-in-use where somebody else drives it.
    """
    try:
        while not order.is_final:
            step = TRANSITIONS[order.state].step
            order = await _saved(deps, await _stepped(deps, principal, order))
            deps.listener.stepped(order, step)
    except BaseException:
        await _let_go(deps, order)
        raise
    finally:
        deps.listener.ended(order)
    return order


async def _stepped(deps: Dependencies, principal: Principal, order: Order) -> Order:
    """`order` after its step's answer."""
    transition = TRANSITIONS[order.state]
    try:
        return (await _asked(deps, principal, order, transition.step)).done()
    except ProblemError as problem:
        if problem.slug not in transition.refusals:
            log.exception("a step was refused for a reason it cannot have", extra=_named(order, problem))
            raise ProblemError("internal", f"{transition.step} was refused") from problem
        return order.refused(Refusal(problem.slug, problem.detail, problem.errors))


async def _asked(deps: Dependencies, principal: Principal, order: Order, step: Step) -> Order:
    """Asks the peer for `step`; returns the order with what the answer adds to it."""
    if step is Step.RESERVE:
        return order.priced(await deps.inventory.reserve(principal, order))
    ask = {
        Step.AUTHORIZE: deps.payments.authorize,
        Step.CAPTURE: deps.payments.capture,
        Step.CONFIRM: deps.inventory.confirm,
        Step.VOID: deps.payments.void,
        Step.REFUND: deps.payments.refund,
        Step.RELEASE: deps.inventory.release,
    }[step]
    await ask(principal, order)
    return order


async def _saved(deps: Dependencies, order: Order) -> Order:
    changed = order.claimed(deps.clock())
    if not await deps.store.write("save_progress", lambda orders: orders.save(changed)):
        raise ProblemError("idempotency-key-in-use", "the order is driven elsewhere", retry_after=1.0)
    return changed


async def _let_go(deps: Dependencies, order: Order) -> None:
    """Ends the lease early, so that nobody has to wait for it. Without success it ends by itself."""
    free = order.let_go(deps.clock())
    with deadline.detached():  # the request's own deadline may be what ended the driving
        try:
            await deps.store.write("let_go", lambda orders: orders.save(free))
        except CallError as error:
            log.warning("the order's lease runs until its end", extra=_named(order, error))


def _named(order: Order, error: Exception) -> dict[str, str]:
    return {"order_id": order.order_id, "state": order.state, "error": str(error)}

"""Drives an order: asks for its state's step, stores the answer, and so on until the order is final.

Whoever drives holds the order's lease, so that two do not drive it at a time; if they do after all, each step takes
effect once, and of two that store the same progress one is told that it came second.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType

from services.chassis.errors import CallError, FaultlineError, ProblemError
from services.chassis.principal import Principal
from services.chassis.resilience import deadline
from services.contracts.steps import Step
from services.orders.domain import TRANSITIONS, Order, Refusal
from services.orders.ports import Dependencies, Orders

log = logging.getLogger(__name__)


class DrivenElsewhereError(FaultlineError):
    """Somebody else stored the order's next change first, so that it is theirs to drive."""

    def __init__(self, order: Order) -> None:
        super().__init__(f"{order.order_id} is driven elsewhere; here it was {order.state} in version {order.version}")


async def drive(deps: Dependencies, principal: Principal, order: Order) -> Order:
    """Drives `order`, whose lease the caller holds, to a final state.

    Raises: CallError or StepPostponedError where an answer is missing: then the order is as far as it came, and free to be
    driven on; DrivenElsewhereError.
    """
    try:
        while not order.is_final:
            order = await _advanced(deps, principal, order)
    except DrivenElsewhereError:
        raise  # the lease is somebody else's
    except BaseException:
        await _let_go(deps, order)
        raise
    return order


async def _advanced(deps: Dependencies, principal: Principal, order: Order) -> Order:
    """`order` as it is stored after one move, or after another's mark was found on it."""
    after = order.turned(deps.clock(), deps.rules)
    if after is order and order.needs_renewal(deps.clock()):
        after = await _renewed(deps, principal, order)
    if after.state is not order.state:
        return await _saved(deps, order, after, deps.listener.turned)
    step = TRANSITIONS[order.state].step
    after = await _stepped(deps, principal, after)
    return await _saved(deps, order, after, lambda saved: deps.listener.stepped(saved, step))


async def _renewed(deps: Dependencies, principal: Principal, order: Order) -> Order:
    """`order` with a reservation that lasts, or turned back where that has ended."""
    try:
        return order.reserved(await deps.inventory.reserve(principal, order))
    except ProblemError as problem:
        if problem.slug != "reservation-closed":
            raise _impossible(order, Step.RESERVE, problem) from problem
        return order.undone(_refusal(problem))


async def _stepped(deps: Dependencies, principal: Principal, order: Order) -> Order:
    """`order` after its step's answer."""
    transition = TRANSITIONS[order.state]
    try:
        return (await _asked(deps, principal, order, transition.step)).done()
    except ProblemError as problem:
        if problem.slug not in transition.refusals:
            raise _impossible(order, transition.step, problem) from problem
        return order.refused(_refusal(problem))


async def _asked(deps: Dependencies, principal: Principal, order: Order, step: Step) -> Order:
    """Asks the peer for `step`; returns the order with what the answer adds to it."""
    if step is Step.RESERVE:
        return order.reserved(await deps.inventory.reserve(principal, order))
    await _ASK[step](deps)(principal, order)
    return order


_ASK: Mapping[Step, Callable[[Dependencies], Callable[[Principal, Order], Awaitable[None]]]] = MappingProxyType(
    {
        Step.AUTHORIZE: lambda deps: deps.payments.authorize,
        Step.CAPTURE: lambda deps: deps.payments.capture,
        Step.CONFIRM: lambda deps: deps.inventory.confirm,
        Step.VOID: lambda deps: deps.payments.void,
        Step.REFUND: lambda deps: deps.payments.refund,
        Step.RELEASE: lambda deps: deps.inventory.release,
    }
)


async def _saved(deps: Dependencies, before: Order, after: Order, tell: Callable[[Order], None]) -> Order:
    """`after` as it is stored; or `before` with the mark, if it was cancelled meanwhile.

    The answer is forgotten then, and nothing is lost: the way back holds whatever became of the step, and a step that is
    on that way is repeated.
    """
    changed = after.claimed(deps.clock())

    async def work(orders: Orders) -> Order:
        return changed if await orders.save(changed) else await _only_cancelled(orders, before)

    saved = await deps.store.write("save_progress", work)
    if saved is changed:
        tell(saved)
    return saved


async def _only_cancelled(orders: Orders, before: Order) -> Order:
    """The order as it is stored, where that is `before` with a cancellation's mark."""
    stored = await orders.get(before.order_id)
    marked_at = stored.cancelled_at_us if stored else None
    if stored is None or marked_at is None or stored != before.cancelled(marked_at).noted(marked_at):
        raise DrivenElsewhereError(before)
    return stored


async def _let_go(deps: Dependencies, order: Order) -> None:
    """Ends the lease early, so that nobody has to wait for it. Without success it ends by itself."""
    now = deps.clock()

    async def work(orders: Orders) -> None:
        if not await orders.save(order.let_go(now, deps.rules)):
            await orders.save((await _only_cancelled(orders, order)).let_go(now, deps.rules))

    with deadline.detached():  # the request's own deadline may be what ended the driving
        try:
            await deps.store.write("let_go", work)
        except DrivenElsewhereError:
            return  # the lease is somebody else's
        except CallError as error:
            log.warning("the order's lease runs until its end", extra=_named(order, error))


def _refusal(problem: ProblemError) -> Refusal:
    return Refusal(problem.slug, problem.detail, problem.errors)


def _impossible(order: Order, step: Step, problem: ProblemError) -> ProblemError:
    log.error("a step was refused for a reason it cannot have", exc_info=problem, extra=_named(order, problem))
    return ProblemError("internal", f"{step} was refused")


def _named(order: Order, error: Exception) -> dict[str, str]:
    return {"order_id": order.order_id, "state": order.state, "error": str(error)}

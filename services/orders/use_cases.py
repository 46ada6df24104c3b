"""What orders does: one function per business action.

Each may raise ProblemError with the slugs named at it, besides forbidden and validation-failed, and CallError where
the store does not answer.
"""

from collections.abc import Sequence

from services.chassis.errors import CallError, FieldError, ProblemError
from services.chassis.principal import Principal
from services.contracts.limits import MAX_ID_LENGTH, is_id
from services.contracts.pages import MAX_LIMIT, Page, decode_cursor, encode_cursor
from services.contracts.scopes import ORDERS_READ, ORDERS_WRITE
from services.orders import domain
from services.orders.domain import IdempotencyRecord, Order, Request
from services.orders.driver import DrivenElsewhereError, drive
from services.orders.ports import Dependencies, Orders, StepPostponedError

LISTING = "orders"

RECOVERY = "recovery"
"""The client that acts for an order's user when nobody waits any more."""

OPERATIONS = (
    "place_order",
    "save_progress",
    "let_go",
    "get_order",
    "list_orders",
    "cancel_order",
    "find_due",
    "claim_due",
    "hasten",
)
"""What the store is asked to do, by the names it has in telemetry."""


async def checkout(deps: Dependencies, principal: Principal, key: str, request: Request, origin: str = "") -> Order:
    """Places an order and drives it to its end; with the same key and request, the same order and the same answer.

    `origin` is the traceparent of the request, for whoever may have to carry the order on.
    Returns the confirmed order, or a pending one where payments is away and it is kept, to be carried on or undone later.
    Raises ProblemError: idempotency-key-missing, idempotency-key-reused (another request before), idempotency-key-in-use
    (the first may still be running), the reason for which the order was rejected, order-cancelled, or service-unavailable
    and deadline-exceeded where an answer is missing and the order stays pending: repeating the request drives it on. All
    but the first two name the order in the extension `order_id`.
    """
    _require(principal, ORDERS_WRITE)
    domain.check_key(key)
    domain.check_request(request)
    order = (await _place(deps, principal, key, request, origin)).as_answered()
    if not order.is_final:
        order = await _driven(deps, principal, order)
    return _answered(order)


async def cancel_order(deps: Dependencies, principal: Principal, order_id: str) -> Order:
    """Cancels one of the principal's own orders, and undoes it at once where nobody else is driving it.

    Returns the order, `cancelled`, or `pending` while that is still going on: it is certain then. Asked for again it is
    the same. Raises ProblemError order-not-found, or order-not-cancellable for one that was rejected.
    """
    _require(principal, ORDERS_WRITE)
    _check_id(order_id)
    now = deps.clock()
    order, ours = await deps.store.write("cancel_order", lambda orders: _cancel(deps, orders, principal, order_id, now))
    if not ours:
        return order
    try:
        return await drive(deps, principal, order)
    except (CallError, DrivenElsewhereError, StepPostponedError):
        return order  # the mark is stored: the recovery goes on from here


async def due_orders(deps: Dependencies, limit: int) -> Sequence[Order]:
    """At most `limit` orders that nobody drives and that are not final. For the service itself, not for callers."""
    now = deps.clock()
    return await deps.store.read("find_due", lambda orders: orders.due(now, limit))


async def hasten(deps: Dependencies) -> None:
    """Makes all orders due that were left alone for longer. For the service itself, not for callers."""
    now = deps.clock()
    await deps.store.write("hasten", lambda orders: orders.hasten(now))


async def recover(deps: Dependencies, order: Order) -> Order:
    """Drives a due order to its end, for its user. For the service itself, not for callers.

    Raises CallError or StepPostponedError where an answer is missing, DrivenElsewhereError where somebody was quicker.
    """
    principal = Principal(order.user_id, RECOVERY, frozenset({ORDERS_WRITE}))
    claimed = order.claimed(deps.clock())
    if not await deps.store.write("claim_due", lambda orders: orders.save(claimed)):
        raise DrivenElsewhereError(order)
    return await drive(deps, principal, claimed)


async def get_order(deps: Dependencies, principal: Principal, order_id: str) -> Order:
    """One of the principal's own orders; raises ProblemError order-not-found for all others."""
    _require(principal, ORDERS_READ)
    _check_id(order_id)
    return await deps.store.read("get_order", lambda orders: _own(orders, principal, order_id))


async def list_orders(deps: Dependencies, principal: Principal, limit: int, cursor: str) -> Page[Order]:
    """A page of the principal's own orders, newest first; an empty cursor for the first page."""
    _require(principal, ORDERS_READ)
    if not 1 <= limit <= MAX_LIMIT:
        errors = [FieldError("limit", f"must be 1 to {MAX_LIMIT}, not {limit}")]
        raise ProblemError("validation-failed", "no such page", errors=errors)
    user, before = principal.user_id, _position(cursor)
    found = await deps.store.read("list_orders", lambda orders: orders.of_user(user, before, limit + 1))
    items = tuple(found[:limit])
    return Page(items, _cursor(items[-1]) if len(found) > limit else None)


async def _place(deps: Dependencies, principal: Principal, key: str, request: Request, origin: str) -> Order:
    """The order that the key stands for, leased unless answered; a new one where the key is new."""
    now, user = deps.clock(), principal.user_id
    new = domain.placed(deps.new_id(), user, principal.client_id, request, now, origin)
    record = IdempotencyRecord(user, key, request.fingerprint(), new.order_id, now)

    async def work(orders: Orders) -> Order:
        return new if await orders.add(new, record) else await _claim(orders, record)

    return await deps.store.write("place_order", work)


async def _claim(orders: Orders, repeated: IdempotencyRecord) -> Order:
    """The order of an earlier request with the same key, leased unless answered."""
    first = await orders.record(repeated.user_id, repeated.key)
    if first is None or first.fingerprint != repeated.fingerprint:
        raise ProblemError("idempotency-key-reused", "the key was used before, with another request")
    order = await orders.get(first.order_id)
    if order is None:
        raise LookupError(f"{first.order_id} has a record and no order")
    return order if order.as_answered().is_final else await _leased(orders, order, repeated.created_at_us)


async def _leased(orders: Orders, order: Order, now_us: int) -> Order:
    claimed = order.claimed(now_us)
    if order.is_leased(now_us) or not await orders.save(claimed):
        raise _in_use(order)
    return claimed


def _in_use(order: Order) -> ProblemError:
    # Much sooner than the lease's end: only a driver that died keeps it so long.
    names, detail = {"order_id": order.order_id}, "the first request with this key may still be running"
    return ProblemError("idempotency-key-in-use", detail, retry_after=1.0, extensions=names)


async def _cancel(
    deps: Dependencies, orders: Orders, principal: Principal, order_id: str, now_us: int
) -> tuple[Order, bool]:
    """The order with its cancellation stored, and whether the caller is now the one to drive it."""
    order = await _own(orders, principal, order_id)
    marked = order.cancelled(now_us)
    if order.is_leased(now_us):  # whoever drives it will find the mark
        return (order if marked is order else await _stored(orders, marked.noted(now_us))), False
    undone = marked.turned(now_us, deps.rules)
    return (undone, False) if undone.is_final else (await _stored(orders, undone.claimed(now_us)), True)


async def _stored(orders: Orders, order: Order) -> Order:
    # It was read in the same transaction, so that nothing comes between.
    if not await orders.save(order):
        raise LookupError(f"{order.order_id} cannot become {order.state}")
    return order


async def _driven(deps: Dependencies, principal: Principal, order: Order) -> Order:
    try:
        order = await drive(deps, principal, order)
    except DrivenElsewhereError as error:
        raise _in_use(order) from error
    except StepPostponedError as postponed:
        order = postponed.order
    except CallError as error:
        slug = "deadline-exceeded" if error.slug == "deadline-exceeded" else "service-unavailable"
        detail = "The order stays pending. Repeat the request with the same Idempotency-Key to carry it on."
        names = {"order_id": order.order_id}
        problem = ProblemError(slug, detail, retry_after=error.retry_after or 1.0, extensions=names)
        problem.retried = error.retried
        raise problem from error
    finally:
        deps.listener.ended(order)
    return order


def _answered(order: Order) -> Order:
    if not order.is_final:
        return order
    names = {"order_id": order.order_id}
    if order.cancelled_at_us is not None:
        raise ProblemError("order-cancelled", "The order was cancelled before it was confirmed.", extensions=names)
    if order.refusal is None:
        return order
    why = order.refusal
    raise ProblemError(why.reason, why.detail, errors=why.errors, extensions=names)


async def _own(orders: Orders, principal: Principal, order_id: str) -> Order:
    order = await orders.get(order_id)
    if order is None or order.user_id != principal.user_id:
        raise _no_order(order_id)
    return order


def _check_id(order_id: str) -> None:
    if not is_id(order_id):
        raise _no_order(order_id)


def _no_order(order_id: str) -> ProblemError:
    return ProblemError("order-not-found", f"you have no order {order_id[:MAX_ID_LENGTH]!r}")


def _require(principal: Principal, scope: str) -> None:
    if not principal.may(scope):
        raise ProblemError("forbidden", f"this needs the scope {scope}")


def _cursor(order: Order) -> str:
    return encode_cursor(LISTING, (order.created_at_us, order.order_id))


def _position(cursor: str) -> tuple[int, str] | None:
    if not cursor:
        return None
    try:
        created_at_us, order_id = decode_cursor(LISTING, cursor, (int, str))
    except ValueError as exc:
        errors = [FieldError("cursor", str(exc))]
        raise ProblemError("validation-failed", "no such page", errors=errors) from exc
    return int(created_at_us), str(order_id)

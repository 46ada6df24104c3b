"""What orders does: one function per business action.

Each may raise ProblemError with the slugs named at it, besides forbidden and validation-failed, and CallError where
the store does not answer.
"""

from services.chassis.errors import CallError, FieldError, ProblemError
from services.chassis.principal import Principal
from services.contracts.limits import MAX_ID_LENGTH, is_id
from services.contracts.pages import MAX_LIMIT, Page, decode_cursor, encode_cursor
from services.contracts.scopes import ORDERS_READ, ORDERS_WRITE
from services.orders import domain
from services.orders.domain import IdempotencyRecord, Order, Request
from services.orders.driver import drive
from services.orders.ports import Dependencies, Orders

LISTING = "orders"

OPERATIONS = ("place_order", "save_progress", "let_go", "get_order", "list_orders")
"""What the store is asked to do, by the names it has in telemetry."""


async def checkout(deps: Dependencies, principal: Principal, key: str, request: Request) -> Order:
    """Places an order and drives it to its end; with the same key and request, the same order and the same answer.

    Returns the confirmed order. Raises ProblemError: idempotency-key-missing, idempotency-key-reused (another request
    before), idempotency-key-in-use (the first is still running), the reason for which the order was rejected, or
    service-unavailable and deadline-exceeded where an answer is missing and the order stays pending: repeating the
    request drives it on. The last three kinds name the order in the extension `order_id`.
    """
    _require(principal, ORDERS_WRITE)
    domain.check_key(key)
    domain.check_request(request)
    order = await _place(deps, principal, key, request)
    if not order.is_final:
        order = await _driven(deps, principal, order)
    return _answered(order)


async def get_order(deps: Dependencies, principal: Principal, order_id: str) -> Order:
    """One of the principal's own orders; raises ProblemError order-not-found for all others."""
    _require(principal, ORDERS_READ)
    order = await deps.store.read("get_order", lambda orders: orders.get(order_id)) if is_id(order_id) else None
    if order is None or order.user_id != principal.user_id:
        raise ProblemError("order-not-found", f"you have no order {order_id[:MAX_ID_LENGTH]!r}")
    return order


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


async def _place(deps: Dependencies, principal: Principal, key: str, request: Request) -> Order:
    """The order that the key stands for, leased unless final; a new one where the key is new."""
    now, user = deps.clock(), principal.user_id
    new = domain.placed(deps.new_id(), user, principal.client_id, request, now)
    record = IdempotencyRecord(user, key, request.fingerprint(), new.order_id, now)

    async def work(orders: Orders) -> Order:
        return new if await orders.add(new, record) else await _claim(orders, record)

    return await deps.store.write("place_order", work)


async def _claim(orders: Orders, repeated: IdempotencyRecord) -> Order:
    """The order of an earlier request with the same key, leased unless final."""
    first = await orders.record(repeated.user_id, repeated.key)
    if first is None or first.fingerprint != repeated.fingerprint:
        raise ProblemError("idempotency-key-reused", "the key was used before, with another request")
    order = await orders.get(first.order_id)
    if order is None:
        raise LookupError(f"{first.order_id} has a record and no order")
    return order if order.is_final else await _leased(orders, order, repeated.created_at_us)


async def _leased(orders: Orders, order: Order, now_us: int) -> Order:
    claimed = order.claimed(now_us)
    if order.is_leased(now_us) or not await orders.save(claimed):
        raise _in_use(order)
    return claimed


def _in_use(order: Order) -> ProblemError:
    # Much sooner than the lease's end: only a driver that died keeps it so long.
    names, detail = {"order_id": order.order_id}, "the first request with this key is still running"
    return ProblemError("idempotency-key-in-use", detail, retry_after=1.0, extensions=names)


async def _driven(deps: Dependencies, principal: Principal, order: Order) -> Order:
    try:
        return await drive(deps, principal, order)
    except CallError as error:
        slug = "deadline-exceeded" if error.slug == "deadline-exceeded" else "service-unavailable"
        detail = "The order stays pending. Repeat the request with the same Idempotency-Key to carry it on."
        names = {"order_id": order.order_id}
        raise ProblemError(slug, detail, retry_after=error.retry_after or 1.0, extensions=names) from error


def _answered(order: Order) -> Order:
    if order.refusal is None:
        return order
    why = order.refusal
    raise ProblemError(why.reason, why.detail, errors=why.errors, extensions={"order_id": order.order_id})


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

"""What the inventory does: one function per business action.

Each may raise ProblemError with the slugs named in `inventory.proto`, besides forbidden and validation-failed, and
CallError where the store does not answer. The steps of a checkout take effect once, however often they are asked for.
"""

from collections import Counter
from collections.abc import Sequence

from services.chassis.errors import FieldError, ProblemError
from services.chassis.principal import Principal
from services.contracts.limits import MAX_BATCH, MAX_ID_LENGTH, is_id
from services.contracts.pages import DEFAULT_LIMIT, MAX_LIMIT, Page, decode_cursor, encode_cursor
from services.contracts.scopes import ORDERS_WRITE, PRODUCTS_READ
from services.inventory import domain
from services.inventory.domain import Line, Product, Reservation, ReservationState, ReservedLine
from services.inventory.ports import Dependencies, Stock

LISTING = "products"

OPERATIONS = (
    "add_catalogue",
    "list_products",
    "get_product",
    "batch_get_products",
    "reserve",
    "confirm",
    "release",
    "get_reservation",
    "find_expired",
    "expire",
)
"""What the store is asked to do, by the names it has in telemetry."""


async def add_catalogue(deps: Dependencies, products: Sequence[Product]) -> None:
    """Adds the products that are missing; stock that was sold stays sold. For the service itself, not for callers."""
    await deps.store.write("add_catalogue", lambda stock: stock.add_products(products))


async def list_products(deps: Dependencies, principal: Principal, limit: int, cursor: str) -> Page[Product]:
    """A page of the catalogue, by product id; limit 0 means the default, an empty cursor the first page."""
    _require(principal, PRODUCTS_READ)
    size, after = _limit(limit), _position(cursor)
    found = await deps.store.read("list_products", lambda stock: stock.products_after(after, size + 1))
    items = tuple(found[:size])
    return Page(items, encode_cursor(LISTING, (items[-1].product_id,)) if len(found) > size else None)


async def get_product(deps: Dependencies, principal: Principal, product_id: str) -> Product:
    """One product."""
    _require(principal, PRODUCTS_READ)
    if is_id(product_id):
        found = await deps.store.read("get_product", lambda stock: stock.products([product_id]))
        if product_id in found:
            return found[product_id]
    raise ProblemError("product-not-found", f"there is no product {product_id[:MAX_ID_LENGTH]!r}")


async def batch_get_products(
    deps: Dependencies, principal: Principal, product_ids: Sequence[str]
) -> tuple[Product, ...]:
    """The products there are, in the order of the ids."""
    _require(principal, PRODUCTS_READ)
    if len(product_ids) > MAX_BATCH:
        errors = [FieldError("product_ids", f"must be at most {MAX_BATCH}, not {len(product_ids)}")]
        raise ProblemError("validation-failed", "too many products at once", errors=errors)
    asked = [each for each in product_ids if is_id(each)]
    found = await deps.store.read("batch_get_products", lambda stock: stock.products(asked))
    return tuple(found[each] for each in asked if each in found)


async def reserve(deps: Dependencies, principal: Principal, order_id: str, lines: Sequence[Line]) -> Reservation:
    """Sets all lines aside, or none, and prices them. A refusal is stored, so that it stays the answer."""
    _require(principal, ORDERS_WRITE)
    domain.check_lines(lines)
    now = deps.clock()

    async def work(stock: Stock) -> Reservation:
        products = await stock.products(line.product_id for line in lines)
        new = domain.begun(order_id, lines, products, now, deps.hold_for_us)
        if await stock.add_reservation(new):
            return await _taken(stock, new)
        first = domain.answered(await _existing(stock, order_id), lines)
        return await _saved(stock, first, first.prolonged(now, deps.hold_for_us))

    return domain.answered(await deps.store.write("reserve", work), lines)


async def confirm(deps: Dependencies, principal: Principal, order_id: str) -> Reservation:
    """Sells what was reserved."""
    _require(principal, ORDERS_WRITE)

    async def work(stock: Stock) -> Reservation:
        reservation = await _existing(stock, order_id)
        if reservation.state is ReservationState.RELEASED:
            raise domain.closed(reservation)
        return await _saved(stock, reservation, reservation.moved(ReservationState.CONFIRMED))

    return await deps.store.write("confirm", work)


async def release(deps: Dependencies, principal: Principal, order_id: str) -> Reservation:
    """Gives back what was reserved or sold, and sees to it that nothing is reserved for this order any more."""
    _require(principal, ORDERS_WRITE)

    async def work(stock: Stock) -> Reservation:
        await stock.add_reservation(domain.never_held(order_id, deps.clock()))
        reservation = await _existing(stock, order_id)
        if reservation.state is not ReservationState.RELEASED:
            await _give_back(stock, reservation.lines)
        return await _saved(stock, reservation, reservation.moved(ReservationState.RELEASED))

    return await deps.store.write("release", work)


async def get_reservation(deps: Dependencies, principal: Principal, order_id: str) -> Reservation:
    """The order's reservation, whatever its state: the way to settle an outcome that was not heard."""
    _require(principal, ORDERS_WRITE)
    if not is_id(order_id):
        raise _no_reservation(order_id)
    return await deps.store.read("get_reservation", lambda stock: _existing(stock, order_id))


async def expire(deps: Dependencies, limit: int) -> int:
    """Gives back what at most `limit` expired reservations hold; how many they were. For the service itself."""
    now = deps.clock()
    if not await deps.store.read("find_expired", lambda stock: stock.expired(now, 1)):
        return 0  # so that looking alone does not keep others from writing

    async def work(stock: Stock) -> int:
        expired = await stock.expired(now, limit)
        await _give_back(stock, [line for each in expired for line in each.lines])
        for each in expired:
            await _saved(stock, each, each.moved(ReservationState.RELEASED))
        return len(expired)

    return await deps.store.write("expire", work)


async def _existing(stock: Stock, order_id: str) -> Reservation:
    reservation = await stock.reservation(order_id)
    if reservation is None:
        raise _no_reservation(order_id)
    return reservation


def _no_reservation(order_id: str) -> ProblemError:
    return ProblemError("reservation-not-found", f"nothing was reserved for {order_id[:MAX_ID_LENGTH]!r}")


async def _taken(stock: Stock, new: Reservation) -> Reservation:
    """The stored reservation with its goods taken from stock, or refused without any."""
    # In the order of ids, so that two orders with the same products never wait for each other.
    in_turn = sorted(new.lines, key=lambda line: line.product_id)
    taken = [line for line in in_turn if await stock.take(line.product_id, line.quantity)]
    if len(taken) == len(in_turn):
        return new
    await _give_back(stock, taken)
    short = await stock.products(line.product_id for line in in_turn if line not in taken)
    available = {each.product_id: each.available for each in short.values()}
    return await _saved(stock, new, new.refused(domain.out_of_stock(new.asked_for(), available)))


async def _give_back(stock: Stock, lines: Sequence[ReservedLine]) -> None:
    pieces: Counter[str] = Counter()
    for line in lines:
        pieces[line.product_id] += line.quantity
    for product_id in sorted(pieces):
        await stock.give_back(product_id, pieces[product_id])


async def _saved(stock: Stock, before: Reservation, after: Reservation) -> Reservation:
    if after != before:
        await stock.save(after, before.state)
    return after


def _require(principal: Principal, scope: str) -> None:
    if not principal.may(scope):
        raise ProblemError("forbidden", f"this needs the scope {scope}")


def _limit(limit: int) -> int:
    if not 0 <= limit <= MAX_LIMIT:
        errors = [FieldError("limit", f"must be 1 to {MAX_LIMIT}, not {limit}")]
        raise ProblemError("validation-failed", "no such page", errors=errors)
    return limit or DEFAULT_LIMIT


def _position(cursor: str) -> str:
    if not cursor:
        return ""
    try:
        (position,) = decode_cursor(LISTING, cursor, (str,))
        return str(position)
    except ValueError as exc:
        errors = [FieldError("cursor", str(exc))]
        raise ProblemError("validation-failed", "no such page", errors=errors) from exc

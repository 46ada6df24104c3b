"""What the public can do: one function per business action, the same for every version and protocol of the API.

Whether the principal may do it is decided by the service that owns the thing; its refusals are raised as
ProblemError, an answer that is missing as CallError.
"""

from services.chassis.errors import PeerFailedError, ProblemError
from services.chassis.principal import Principal
from services.contracts.pages import Page
from services.gateway.domain import Order, OrderRequest, Product, Seen
from services.gateway.ports import Dependencies


async def list_products(deps: Dependencies, principal: Principal, limit: int, cursor: str) -> Seen[Page[Product]]:
    """A page of the catalogue; an empty cursor for the first."""
    return await deps.catalogue.list_products(principal, limit, cursor)


async def get_product(deps: Dependencies, principal: Principal, product_id: str) -> Seen[Product]:
    """One product."""
    return await deps.catalogue.get_product(principal, product_id)


async def place_order(deps: Dependencies, principal: Principal, key: str | None, request: OrderRequest) -> Order:
    """A checkout: the confirmed order, or ProblemError saying why there is none.

    It is still `pending` where the payment is away: it is carried on later, and then confirmed or rejected.
    """
    if not key:
        raise ProblemError("idempotency-key-missing", "Send the header Idempotency-Key.")
    try:
        return await deps.orders.place_order(principal, key, request)
    except PeerFailedError as failure:
        if "order_id" not in failure.problem.extensions:
            raise
        # The customer is told which order stays pending, as orders put it.
        raise failure.problem from failure


async def get_order(deps: Dependencies, principal: Principal, order_id: str) -> Order:
    """One of the principal's own orders."""
    return await deps.orders.get_order(principal, order_id)


async def cancel_order(deps: Dependencies, principal: Principal, order_id: str) -> Order:
    """One of the principal's own orders, `cancelled`, or `pending` while that is going on."""
    return await deps.orders.cancel_order(principal, order_id)


async def list_orders(deps: Dependencies, principal: Principal, limit: int, cursor: str) -> Page[Order]:
    """A page of the principal's own orders, newest first; an empty cursor for the first page."""
    return await deps.orders.list_orders(principal, limit, cursor)

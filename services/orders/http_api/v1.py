"""Version 1 of the orders service's routes, for callers inside the system: who asks is taken from the headers."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request, Response

from services.chassis.errors import ProblemError
from services.chassis.principal import Principal, from_metadata
from services.contracts.pages import DEFAULT_LIMIT
from services.orders import origin, use_cases
from services.orders.ports import Dependencies
from services.orders.schemas import v1 as schemas

PATH = "/v1/orders"


async def principal_of(request: Request) -> Principal:
    """For whom the request is made."""
    principal = from_metadata(request.headers)
    if principal is None:
        raise ProblemError("unauthenticated", "the request does not say for whom it is made")
    return principal


Caller = Annotated[Principal, Depends(principal_of)]


def create_router(deps: Dependencies) -> APIRouter:
    """The routes, over `deps`."""
    router = APIRouter()

    @router.post(PATH, status_code=201)
    async def place_order(
        caller: Caller,
        body: schemas.PlaceOrder,
        response: Response,
        idempotency_key: Annotated[str, Header()] = "",
    ) -> schemas.Order:
        order = await use_cases.checkout(deps, caller, idempotency_key, body.to_domain(), origin.current())
        response.status_code = 201 if order.is_final else 202
        response.headers["Location"] = f"{PATH}/{order.order_id}"
        return schemas.order(order)

    @router.get(PATH)
    async def list_orders(caller: Caller, limit: int = DEFAULT_LIMIT, cursor: str = "") -> schemas.OrderPage:
        return schemas.page(await use_cases.list_orders(deps, caller, limit, cursor))

    @router.get(PATH + "/{order_id}")
    async def get_order(caller: Caller, order_id: str) -> schemas.Order:
        return schemas.order(await use_cases.get_order(deps, caller, order_id))

    @router.put(PATH + "/{order_id}/cancellation")
    async def cancel_order(caller: Caller, order_id: str, response: Response) -> schemas.Order:
        order = await use_cases.cancel_order(deps, caller, order_id)
        response.status_code = 200 if order.is_final else 202
        return schemas.order(order)

    return router

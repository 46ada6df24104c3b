"""Version 1 of the public routes."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Header, Query, Request, Response, Security
from fastapi.security import APIKeyHeader

from services.chassis.errors import ProblemError
from services.chassis.principal import Principal
from services.contracts.pages import DEFAULT_LIMIT, MAX_LIMIT
from services.gateway import api_keys, use_cases
from services.gateway.http_api.openapi import problems
from services.gateway.ports import Dependencies
from services.gateway.schemas import v1 as schemas

PREFIX = "/api/v1"

_api_key = APIKeyHeader(name=api_keys.HEADER, auto_error=False, description="Your API key.")


async def principal_of(request: Request, _: Annotated[str | None, Security(_api_key)]) -> Principal:
    """Who is asking, as the pipeline found out."""
    principal: Principal = request.state.principal
    return principal


async def json_only(request: Request) -> None:
    """Refuses a body that is not declared as JSON."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise ProblemError("unsupported-media-type", "Send the body as application/json.")


Caller = Annotated[Principal, Depends(principal_of)]
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Items on a page.")]
Cursor = Annotated[str, Query(description="`next_cursor` of the page before; empty for the first page.")]
IdempotencyKey = Annotated[
    str | None,
    Header(
        description="Required. A value of your own, new for each order and the same for each repetition of it: "
        "a repeated checkout is one order and one charge."
    ),
]


def create_router(deps: Dependencies) -> APIRouter:
    """The routes, over `deps`."""
    router = APIRouter(prefix=PREFIX)
    _add_products(router, deps)
    _add_orders(router, deps)
    return router


def _add_products(router: APIRouter, deps: Dependencies) -> None:
    @router.get("/products", tags=["products"], responses=problems())
    async def list_products(
        caller: Caller, request: Request, response: Response, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = ""
    ) -> schemas.ProductPage:
        """A page of the catalogue."""
        page = await use_cases.list_products(deps, caller, limit, cursor)
        _link_next(request, response, limit, page.next_cursor)
        return schemas.product_page(page)

    @router.get("/products/{product_id}", tags=["products"], responses=problems("product-not-found"))
    async def get_product(caller: Caller, product_id: str) -> schemas.Product:
        """One product."""
        return schemas.product(await use_cases.get_product(deps, caller, product_id))


def _add_orders(router: APIRouter, deps: Dependencies) -> None:
    @router.post(
        "/orders",
        tags=["orders"],
        status_code=201,
        dependencies=[Depends(json_only)],
        responses={201: {"headers": {"Location": _LOCATION}}, **problems(*_CHECKOUT_PROBLEMS)},
    )
    async def place_order(
        caller: Caller, body: schemas.PlaceOrder, response: Response, idempotency_key: IdempotencyKey = None
    ) -> schemas.Order:
        """A checkout: reserves the goods, charges the card and confirms the order, or undoes it all and says why."""
        order = await use_cases.place_order(deps, caller, idempotency_key, body.to_domain())
        response.headers["Location"] = f"{PREFIX}/orders/{order.order_id}"
        return schemas.order(order)

    @router.get("/orders", tags=["orders"], responses=problems())
    async def list_orders(
        caller: Caller, request: Request, response: Response, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = ""
    ) -> schemas.OrderPage:
        """A page of your orders, newest first."""
        page = await use_cases.list_orders(deps, caller, limit, cursor)
        _link_next(request, response, limit, page.next_cursor)
        return schemas.order_page(page)

    @router.get("/orders/{order_id}", tags=["orders"], responses=problems("order-not-found"))
    async def get_order(caller: Caller, order_id: str) -> schemas.Order:
        """One of your orders."""
        return schemas.order(await use_cases.get_order(deps, caller, order_id))


_LOCATION = {"description": "The address of the order.", "schema": {"type": "string"}}

_CHECKOUT_PROBLEMS = (
    "idempotency-key-missing",
    "payment-declined",
    "out-of-stock",
    "idempotency-key-in-use",
    "content-too-large",
    "unsupported-media-type",
    "idempotency-key-reused",
    "unknown-product",
    "unknown-payment-method",
)


def _link_next(request: Request, response: Response, limit: int, cursor: str | None) -> None:
    if cursor:
        query = urlencode({"limit": limit, "cursor": cursor})
        response.headers["Link"] = f'<{request.url.path}?{query}>; rel="next"'

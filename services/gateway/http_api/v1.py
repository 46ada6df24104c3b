"""Version 1 of the public routes."""

from email.message import Message
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response, Security
from fastapi.security import APIKeyHeader

from observability import semconv
from services.chassis.errors import ProblemError
from services.chassis.http.unique_members import UniqueMembers
from services.chassis.principal import Principal
from services.contracts.pages import DEFAULT_LIMIT, MAX_LIMIT
from services.gateway import use_cases
from services.gateway.http_api import conditional, staleness
from services.gateway.http_api.conditional import IfNoneMatch, unless_known
from services.gateway.http_api.openapi import examples, problems
from services.gateway.ports import Dependencies
from services.gateway.schemas import v1 as schemas

PREFIX = "/api/v1"

_api_key = APIKeyHeader(name=semconv.HEADER_API_KEY, auto_error=False, description="Your API key.")


async def principal_of(request: Request, _: Annotated[str | None, Security(_api_key)]) -> Principal:
    """Who is asking, as the pipeline found out."""
    principal: Principal = request.state.principal
    return principal


async def json_only(request: Request) -> None:
    """Refuses a body that is not declared as JSON in UTF-8 (RFC 8259, section 8.1), or is compressed."""
    media_type = Message()
    media_type["Content-Type"] = request.headers.get("content-type", "text/plain")
    if media_type.get_content_type() != "application/json":
        raise ProblemError("unsupported-media-type", "Send the body as application/json.")
    if (charset := media_type.get_content_charset("utf-8")) != "utf-8":
        raise ProblemError("unsupported-media-type", f"Send the body in UTF-8, not in {charset}.")
    if (coding := request.headers.get("content-encoding", "identity")) != "identity":
        raise ProblemError("unsupported-media-type", f"Send the body as it is, without Content-Encoding {coding}.")


Caller = Annotated[Principal, Depends(principal_of)]
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Items on a page.")]
ProductId = Annotated[str, Path(description="The product's id, as a page of the catalogue has it.")]
OrderId = Annotated[str, Path(description="The order's id, as the checkout's answer has it.")]
Cursor = Annotated[str, Query(description="`next_cursor` of the page before; empty for the first page.")]
IdempotencyKey = Annotated[
    str | None,
    Header(
        description="Required. A value of your own, new for each order and the same for each repetition of it: "
        "a repeated checkout is one order and one charge."
    ),
]


_LOCATION = {"description": "The address of the order.", "schema": {"type": "string"}}
_AN_ORDER = "/orders/ord_5f0c3b1e9d7a4c62"

_PLACED = {
    "description": "Placed, charged and confirmed",
    "headers": {"Location": _LOCATION},
    **examples(schemas.PLACED_EXAMPLES),
}
_ORDERS = {"description": "The page", **examples(schemas.ORDER_PAGE_EXAMPLES)}
_ONE_ORDER = {"description": "The order", **examples(schemas.ORDER_EXAMPLES)}

_CHECKOUT_PROBLEMS = (
    "idempotency-key-missing",
    "payment-declined",
    "out-of-stock",
    "idempotency-key-in-use",
    "reservation-closed",
    "payment-closed",
    "inventory-unavailable",
    "payment-unavailable",
    "order-cancelled",
    "unsupported-media-type",
    "idempotency-key-reused",
    "unknown-product",
    "unknown-payment-method",
)

_CHECKOUT: dict[int | str, dict[str, Any]] = {
    201: _PLACED,
    202: {
        "description": "Kept, to be carried on or undone later",
        "model": schemas.Order,
        "headers": {"Location": _LOCATION},
        **examples({"pending": schemas.PENDING}),
    },
    **problems(*_CHECKOUT_PROBLEMS, at="/orders"),
}

_CANCELLATION: dict[int | str, dict[str, Any]] = {
    200: {"description": "Cancelled", **examples({"cancelled": schemas.CANCELLED})},
    202: {
        "description": "Being cancelled",
        "model": schemas.Order,
        **examples({"pending": schemas.PENDING}),
    },
    **problems("order-not-found", "order-not-cancellable", at=f"{_AN_ORDER}/cancellation"),
}


def create_router(deps: Dependencies) -> APIRouter:
    """The routes, over `deps`."""
    router = APIRouter(prefix=PREFIX, route_class=UniqueMembers)
    _add_products(router, deps)
    _add_orders(router, deps)
    return router


def _add_products(router: APIRouter, deps: Dependencies) -> None:
    @router.get(
        "/products",
        tags=["products"],
        response_model=schemas.ProductPage,
        responses={**conditional.responses("The page", schemas.PRODUCT_PAGE_EXAMPLES), **problems(at="/products")},
    )
    async def list_products(
        caller: Caller,
        request: Request,
        response: Response,
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = "",
        if_none_match: IfNoneMatch = None,
    ) -> schemas.ProductPage | Response:
        """A page of the catalogue. Where the catalogue does not answer, as it was last seen, and it says so."""
        page = await use_cases.list_products(deps, caller, limit, cursor)
        _link_next(request, response, limit, page.value.next_cursor)
        staleness.tell(response, page.age_s)
        return unless_known(schemas.product_page(page), response, if_none_match)

    @router.get(
        "/products/{product_id}",
        tags=["products"],
        response_model=schemas.SingleProduct,
        responses={
            **conditional.responses("The product", schemas.PRODUCT_EXAMPLES),
            **problems("product-not-found", at="/products/p-0001"),
        },
    )
    async def get_product(
        caller: Caller, product_id: ProductId, response: Response, if_none_match: IfNoneMatch = None
    ) -> schemas.SingleProduct | Response:
        """One product. Where the catalogue does not answer, as it was last seen, and it says so."""
        product = await use_cases.get_product(deps, caller, product_id)
        staleness.tell(response, product.age_s)
        return unless_known(schemas.single_product(product), response, if_none_match)


def _add_orders(router: APIRouter, deps: Dependencies) -> None:
    @router.post(
        "/orders",
        tags=["orders"],
        status_code=201,
        dependencies=[Depends(json_only)],
        responses=_CHECKOUT,
    )
    async def place_order(
        caller: Caller, body: schemas.PlaceOrder, response: Response, idempotency_key: IdempotencyKey = None
    ) -> schemas.Order:
        """A checkout: reserves the goods, charges the card and confirms the order, or undoes it all and says why.

        202 means that the payment is away and the order is kept: it is carried on, or undone, as soon as that is possible,
        and ends `confirmed`, `rejected` or, where you cancel it, `cancelled`. Ask for the order, or repeat the request with
        the same Idempotency-Key, to see which.
        """
        order = await use_cases.place_order(deps, caller, idempotency_key, body.to_domain())
        response.status_code = 202 if order.status == "pending" else 201
        response.headers["Location"] = f"{PREFIX}/orders/{order.order_id}"
        return schemas.order(order)

    @router.get("/orders", tags=["orders"], responses={200: _ORDERS, **problems(at="/orders")})
    async def list_orders(
        caller: Caller, request: Request, response: Response, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = ""
    ) -> schemas.OrderPage:
        """A page of your orders, newest first."""
        page = await use_cases.list_orders(deps, caller, limit, cursor)
        _link_next(request, response, limit, page.next_cursor)
        return schemas.order_page(page)

    @router.get(
        "/orders/{order_id}",
        tags=["orders"],
        responses={200: _ONE_ORDER, **problems("order-not-found", at=_AN_ORDER)},
    )
    async def get_order(caller: Caller, order_id: OrderId) -> schemas.Order:
        """One of your orders."""
        return schemas.order(await use_cases.get_order(deps, caller, order_id))

    @router.put("/orders/{order_id}/cancellation", tags=["orders"], responses=_CANCELLATION)
    async def cancel_order(caller: Caller, order_id: OrderId, response: Response) -> schemas.Order:
        """Cancels an order, also while its checkout is under way and after it was confirmed.

        The money is given back and the goods are free again. Safe to repeat. 202 means that this is certain and still
        going on: ask for the order, or repeat this, to see it `cancelled`.
        """
        order = await use_cases.cancel_order(deps, caller, order_id)
        response.status_code = 202 if order.status == "pending" else 200
        return schemas.order(order)


def _link_next(request: Request, response: Response, limit: int, cursor: str | None) -> None:
    if cursor:
        query = urlencode({"limit": limit, "cursor": cursor})
        response.headers["Link"] = f'<{request.url.path}?{query}>; rel="next"'

"""Orders over REST, as the gateway needs it."""

from dataclasses import asdict
from typing import Any, TypeVar
from urllib.parse import quote

from pydantic import TypeAdapter, ValidationError

from observability import semconv
from services.chassis.edge import Edge
from services.chassis.errors import MalformedAnswerError
from services.chassis.http.client import HttpClient, HttpRequest
from services.chassis.principal import Principal
from services.contracts.pages import Page
from services.gateway.domain import Order, OrderRequest

PATH = "/v1/orders"

PLACE, GET, LIST, CANCEL = "place_order", "get_order", "list_orders", "cancel_order"
OPERATIONS = (PLACE, GET, LIST, CANCEL)

T = TypeVar("T")

_ORDER = TypeAdapter(Order)
_PAGE = TypeAdapter(Page[Order])


class OrdersClient:
    """An Orders. A checkout carries its key, so that it too is safe to send again."""

    def __init__(self, http: HttpClient, edge: Edge) -> None:
        self._http, self._edge = http, edge

    async def place_order(self, principal: Principal, key: str, request: OrderRequest) -> Order:
        headers = {semconv.HEADER_IDEMPOTENCY_KEY: key}
        sent = HttpRequest("POST", PATH, json=asdict(request), headers=headers, principal=principal)
        return await self._ask(PLACE, sent, _ORDER)

    async def get_order(self, principal: Principal, order_id: str) -> Order:
        return await self._ask(GET, HttpRequest("GET", _path(order_id), principal=principal), _ORDER)

    async def cancel_order(self, principal: Principal, order_id: str) -> Order:
        request = HttpRequest("PUT", f"{_path(order_id)}/cancellation", principal=principal)
        return await self._ask(CANCEL, request, _ORDER)

    async def list_orders(self, principal: Principal, limit: int, cursor: str) -> Page[Order]:
        query = {"limit": str(limit), "cursor": cursor}
        return await self._ask(LIST, HttpRequest("GET", PATH, query=query, principal=principal), _PAGE)

    async def _ask(self, operation: str, request: HttpRequest, shape: TypeAdapter[T]) -> T:
        response = await self._http.request(operation, request, idempotent=True)
        return self._understood(operation, response.body, shape)

    def _understood(self, operation: str, body: Any, shape: TypeAdapter[T]) -> T:
        try:
            return shape.validate_python(body)
        except ValidationError as exc:
            raise MalformedAnswerError(self._edge, operation, f"{exc.error_count()} fields are wrong") from exc


def _path(order_id: str) -> str:
    return f"{PATH}/{quote(order_id, safe='')}"

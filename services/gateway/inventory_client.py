"""Inventory over gRPC, as the gateway needs it: reads of the catalogue."""

from typing import TypeVar

from services.chassis.principal import Principal
from services.chassis.resilience.fallback import Degraded
from services.chassis.rpc.client import RpcClient
from services.contracts.inventory.v1 import inventory_pb2 as pb
from services.contracts.inventory.v1.inventory_pb2_grpc import InventoryStub
from services.contracts.money.money import from_proto
from services.contracts.pages import Page
from services.gateway.domain import Product, Seen
from services.gateway.ports import ProductCache

T = TypeVar("T")

SERVICE = "faultline.inventory.v1.Inventory"

OPERATIONS = ("ListProducts", "GetProduct")


class InventoryClient:
    """A Catalogue. Where inventory does not answer, it falls back to what is in the caches."""

    def __init__(self, rpc: RpcClient, pages: ProductCache[Page[Product]], products: ProductCache[Product]) -> None:
        self._rpc, self._stub = rpc, InventoryStub(rpc.channel)
        self._pages, self._products = pages, products

    async def list_products(self, principal: Principal, limit: int, cursor: str) -> Seen[Page[Product]]:
        key = (principal.scopes, limit, cursor)
        response = await self._rpc.call_or(
            "ListProducts",
            self._stub.ListProducts,
            pb.ListProductsRequest(limit=limit, cursor=cursor),
            lambda _: _degraded(self._pages.find(key)),
            idempotent=True,
            principal=principal,
        )
        if isinstance(response, Degraded):
            return response.value
        page = Page(tuple(_product(each) for each in response.products), response.next_cursor or None)
        self._pages.keep(key, page)
        for product in page.items:
            self._products.keep((principal.scopes, product.product_id), product)
        return Seen(page)

    async def get_product(self, principal: Principal, product_id: str) -> Seen[Product]:
        key = (principal.scopes, product_id)
        response = await self._rpc.call_or(
            "GetProduct",
            self._stub.GetProduct,
            pb.GetProductRequest(product_id=product_id),
            lambda _: _degraded(self._products.find(key)),
            idempotent=True,
            principal=principal,
        )
        if isinstance(response, Degraded):
            return response.value
        product = _product(response.product)
        self._products.keep(key, product)
        return Seen(product)


def _degraded(seen: Seen[T] | None) -> Degraded[Seen[T]] | None:
    return None if seen is None else Degraded(seen)


def _product(message: pb.Product) -> Product:
    return Product(message.product_id, message.name, from_proto(message.price), message.available)

"""Inventory over gRPC, as the gateway needs it: reads of the catalogue."""

from services.chassis.principal import Principal
from services.chassis.rpc.client import RpcClient
from services.contracts.inventory.v1 import inventory_pb2 as pb
from services.contracts.inventory.v1.inventory_pb2_grpc import InventoryStub
from services.contracts.money.money import from_proto
from services.contracts.pages import Page
from services.gateway.domain import Product

SERVICE = "faultline.inventory.v1.Inventory"

OPERATIONS = ("ListProducts", "GetProduct")


class InventoryClient:
    """A Catalogue."""

    def __init__(self, rpc: RpcClient) -> None:
        self._rpc, self._stub = rpc, InventoryStub(rpc.channel)

    async def list_products(self, principal: Principal, limit: int, cursor: str) -> Page[Product]:
        request = pb.ListProductsRequest(limit=limit, cursor=cursor)
        method = self._stub.ListProducts
        response = await self._rpc.call("ListProducts", method, request, idempotent=True, principal=principal)
        return Page(tuple(_product(each) for each in response.products), response.next_cursor or None)

    async def get_product(self, principal: Principal, product_id: str) -> Product:
        request = pb.GetProductRequest(product_id=product_id)
        method = self._stub.GetProduct
        response = await self._rpc.call("GetProduct", method, request, idempotent=True, principal=principal)
        return _product(response.product)


def _product(message: pb.Product) -> Product:
    return Product(message.product_id, message.name, from_proto(message.price), message.available)

"""Inventory over gRPC, as orders needs it."""

from services.chassis.principal import Principal
from services.chassis.rpc.client import RpcClient
from services.contracts.inventory.v1 import inventory_pb2 as pb
from services.contracts.inventory.v1.inventory_pb2_grpc import InventoryStub
from services.contracts.money.money import from_proto
from services.contracts.steps import Step, step_key
from services.contracts.times import from_timestamp
from services.orders.domain import Order, Reserved

SERVICE = "faultline.inventory.v1.Inventory"

OPERATIONS = ("Reserve", "Confirm", "Release")


class InventoryClient:
    """An Inventory. Its steps carry keys, so that all are safe to send again."""

    def __init__(self, rpc: RpcClient) -> None:
        self._rpc, self._stub = rpc, InventoryStub(rpc.channel)

    async def reserve(self, principal: Principal, order: Order) -> Reserved:
        request = pb.ReserveRequest(
            order_id=order.order_id,
            idempotency_key=step_key(order.order_id, Step.RESERVE),
            lines=[pb.Line(product_id=each.product_id, quantity=each.quantity) for each in order.lines],
        )
        response = await self._rpc.call("Reserve", self._stub.Reserve, request, idempotent=True, principal=principal)
        reservation = response.reservation
        prices = {each.product_id: from_proto(each.unit_price) for each in reservation.lines}
        return Reserved(prices, from_timestamp(reservation.expires_at))

    async def confirm(self, principal: Principal, order: Order) -> None:
        key = step_key(order.order_id, Step.CONFIRM)
        request = pb.ConfirmRequest(order_id=order.order_id, idempotency_key=key)
        await self._rpc.call("Confirm", self._stub.Confirm, request, idempotent=True, principal=principal)

    async def release(self, principal: Principal, order: Order) -> None:
        key = step_key(order.order_id, Step.RELEASE)
        request = pb.ReleaseRequest(order_id=order.order_id, idempotency_key=key)
        await self._rpc.call("Release", self._stub.Release, request, idempotent=True, principal=principal)

"""Payments over gRPC, as orders needs it."""

from typing import TypeVar

from services.chassis.principal import Principal
from services.chassis.resilience.fallback import Degraded
from services.chassis.rpc.client import Method, RpcClient
from services.contracts.money.money import to_proto
from services.contracts.payments.v1 import payments_pb2 as pb
from services.contracts.payments.v1.payments_pb2_grpc import PaymentsStub
from services.contracts.steps import Step, step_key
from services.orders.domain import Order
from services.orders.ports import StepPostponedError

T = TypeVar("T")

SERVICE = "faultline.payments.v1.Payments"

OPERATIONS = ("Authorize", "Capture", "Void", "Refund")


class PaymentsClient:
    """A Payments. Its steps carry keys, so that all are safe to send again; the fallback of each is to do it later."""

    def __init__(self, rpc: RpcClient) -> None:
        self._rpc, self._stub = rpc, PaymentsStub(rpc.channel)

    async def authorize(self, principal: Principal, order: Order) -> None:
        if order.total is None:
            raise ValueError(f"{order.order_id} is to be charged before it has prices")
        request = pb.AuthorizeRequest(
            order_id=order.order_id,
            idempotency_key=step_key(order.order_id, Step.AUTHORIZE),
            amount=to_proto(order.total),
            payment_method=order.payment_method,
        )
        await self._done("Authorize", self._stub.Authorize, request, principal, order)

    async def capture(self, principal: Principal, order: Order) -> None:
        key = step_key(order.order_id, Step.CAPTURE)
        request = pb.CaptureRequest(order_id=order.order_id, idempotency_key=key)
        await self._done("Capture", self._stub.Capture, request, principal, order)

    async def void(self, principal: Principal, order: Order) -> None:
        key = step_key(order.order_id, Step.VOID)
        request = pb.VoidRequest(order_id=order.order_id, idempotency_key=key)
        await self._done("Void", self._stub.Void, request, principal, order)

    async def refund(self, principal: Principal, order: Order) -> None:
        key = step_key(order.order_id, Step.REFUND)
        request = pb.RefundRequest(order_id=order.order_id, idempotency_key=key)
        await self._done("Refund", self._stub.Refund, request, principal, order)

    async def _done(
        self, operation: str, method: Method[T, object], request: T, principal: Principal, order: Order
    ) -> None:
        answer = await self._rpc.call_or(operation, method, request, Degraded, idempotent=True, principal=principal)
        if isinstance(answer, Degraded):
            raise StepPostponedError(order) from answer.value

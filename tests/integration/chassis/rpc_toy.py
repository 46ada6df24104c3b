"""A toy of the payments service: its methods do what the test says and answer nothing of interest."""
# ruff: noqa: N802 -- the methods have the names that the proto gives them

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import grpc

from services.chassis.admin import Check
from services.chassis.admission import AdmissionControl
from services.chassis.resilience.load_shedding import LoadSheddingConfig
from services.chassis.rpc.interceptor import ServerInterceptor
from services.chassis.rpc.server import GrpcServer, Servicers
from services.contracts.errors import CATALOGUE
from services.contracts.payments.v1 import payments_pb2 as pb
from services.contracts.payments.v1.payments_pb2_grpc import PaymentsServicer, add_PaymentsServicer_to_server
from tests.integration.chassis.ports import HOST, free_port
from tests.unit.chassis.recording import Recording

PAYMENTS = "faultline.payments.v1.Payments"

Context = grpc.aio.ServicerContext[Any, Any]
Handler = Callable[[Context], Awaitable[None]]


class ToyPayments(PaymentsServicer):
    """Every method awaits `handle` and answers."""

    def __init__(self, handle: Handler) -> None:
        self._handle = handle

    async def Authorize(self, request: pb.AuthorizeRequest, context: Context) -> pb.AuthorizeResponse:
        await self._handle(context)
        return pb.AuthorizeResponse(payment=pb.Payment(order_id=request.order_id))

    async def Capture(self, request: pb.CaptureRequest, context: Context) -> pb.CaptureResponse:
        await self._handle(context)
        return pb.CaptureResponse(payment=pb.Payment(order_id=request.order_id))

    async def Void(self, request: pb.VoidRequest, context: Context) -> pb.VoidResponse:
        await self._handle(context)
        return pb.VoidResponse(payment=pb.Payment(order_id=request.order_id))

    async def Refund(self, request: pb.RefundRequest, context: Context) -> pb.RefundResponse:
        await self._handle(context)
        return pb.RefundResponse(payment=pb.Payment(order_id=request.order_id))

    async def GetPayment(self, request: pb.GetPaymentRequest, context: Context) -> pb.GetPaymentResponse:
        await self._handle(context)
        return pb.GetPaymentResponse(payment=pb.Payment(order_id=request.order_id))


def servicers(handle: Handler) -> Servicers:
    """What a server of the toy serves."""
    return {PAYMENTS: lambda server: add_PaymentsServicer_to_server(ToyPayments(handle), server)}


def server(
    recording: Recording,
    handle: Handler,
    port: int,
    checks: Mapping[str, Check] | None = None,
    shedding: LoadSheddingConfig | None = None,
) -> GrpcServer:
    """A server of the toy, traced and measured by `recording`."""
    admission = AdmissionControl(shedding, recording.telemetry) if shedding else None
    interceptor = ServerInterceptor(recording.telemetry, CATALOGUE, admission=admission)
    return GrpcServer(servicers(handle), interceptor, HOST, port, checks)


@asynccontextmanager
async def served(
    recording: Recording, handle: Handler, port: int = 0, shedding: LoadSheddingConfig | None = None
) -> AsyncIterator[int]:
    """A running server of the toy; yields its port."""
    port = port or free_port()
    running = server(recording, handle, port, shedding=shedding)
    await running.start()
    try:
        yield port
    finally:
        await running.stop()

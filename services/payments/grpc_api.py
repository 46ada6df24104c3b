"""Payments over gRPC: messages in, use cases, messages out. Errors are translated by the server."""
# ruff: noqa: N802 -- the methods have the names that the proto gives them

from collections.abc import Callable
from typing import Any

import grpc

from services.chassis.errors import FieldError, ProblemError
from services.chassis.rpc.caller import principal_of
from services.contracts.money.money import from_proto, to_proto
from services.contracts.payments.v1 import payments_pb2 as pb
from services.contracts.payments.v1.payments_pb2_grpc import PaymentsServicer, add_PaymentsServicer_to_server
from services.contracts.steps import Step, wrong_field
from services.contracts.times import to_timestamp
from services.payments import use_cases
from services.payments.domain import Payment, PaymentState
from services.payments.ports import Dependencies

SERVICE = "faultline.payments.v1.Payments"

Context = grpc.aio.ServicerContext[Any, Any]

_STATES = {
    PaymentState.AUTHORIZING: pb.PAYMENT_STATE_AUTHORIZING,
    PaymentState.AUTHORIZED: pb.PAYMENT_STATE_AUTHORIZED,
    PaymentState.DECLINED: pb.PAYMENT_STATE_DECLINED,
    PaymentState.CAPTURING: pb.PAYMENT_STATE_CAPTURING,
    PaymentState.CAPTURED: pb.PAYMENT_STATE_CAPTURED,
    PaymentState.VOIDING: pb.PAYMENT_STATE_VOIDING,
    PaymentState.VOIDED: pb.PAYMENT_STATE_VOIDED,
    PaymentState.REFUNDING: pb.PAYMENT_STATE_REFUNDING,
    PaymentState.REFUNDED: pb.PAYMENT_STATE_REFUNDED,
}


def adder(deps: Dependencies) -> Callable[[grpc.aio.Server], None]:
    """What adds the service to a server."""
    return lambda server: add_PaymentsServicer_to_server(PaymentsApi(deps), server)


class PaymentsApi(PaymentsServicer):
    """`faultline.payments.v1.Payments`."""

    def __init__(self, deps: Dependencies) -> None:
        self._deps = deps

    async def Authorize(self, request: pb.AuthorizeRequest, context: Context) -> pb.AuthorizeResponse:
        _check_step(request.order_id, request.idempotency_key, Step.AUTHORIZE)
        what = (request.order_id, from_proto(request.amount), request.payment_method)
        payment = await use_cases.authorize(self._deps, principal_of(context), *what)
        return pb.AuthorizeResponse(payment=_payment(payment))

    async def Capture(self, request: pb.CaptureRequest, context: Context) -> pb.CaptureResponse:
        _check_step(request.order_id, request.idempotency_key, Step.CAPTURE)
        payment = await use_cases.capture(self._deps, principal_of(context), request.order_id)
        return pb.CaptureResponse(payment=_payment(payment))

    async def Void(self, request: pb.VoidRequest, context: Context) -> pb.VoidResponse:
        _check_step(request.order_id, request.idempotency_key, Step.VOID)
        payment = await use_cases.void(self._deps, principal_of(context), request.order_id)
        return pb.VoidResponse(payment=_payment(payment))

    async def Refund(self, request: pb.RefundRequest, context: Context) -> pb.RefundResponse:
        _check_step(request.order_id, request.idempotency_key, Step.REFUND)
        payment = await use_cases.refund(self._deps, principal_of(context), request.order_id)
        return pb.RefundResponse(payment=_payment(payment))

    async def GetPayment(self, request: pb.GetPaymentRequest, context: Context) -> pb.GetPaymentResponse:
        payment = await use_cases.get_payment(self._deps, principal_of(context), request.order_id)
        return pb.GetPaymentResponse(payment=_payment(payment))


def _check_step(order_id: str, key: str, step: Step) -> None:
    if wrong := wrong_field(order_id, step, key):
        raise ProblemError("validation-failed", "the step is not named rightly", errors=[FieldError(*wrong)])


def _payment(payment: Payment) -> pb.Payment:
    return pb.Payment(
        order_id=payment.order_id,
        state=_STATES[payment.state],
        amount=to_proto(payment.amount) if payment.amount else None,
        payment_method=payment.payment_method,
        created_at=to_timestamp(payment.created_at_us),
        updated_at=to_timestamp(payment.updated_at_us),
    )

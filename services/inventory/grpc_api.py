"""The inventory over gRPC: messages in, use cases, messages out. Errors are translated by the server."""
# ruff: noqa: N802 -- the methods have the names that the proto gives them

from collections.abc import Callable
from typing import Any

import grpc

from services.chassis.errors import FieldError, ProblemError
from services.chassis.rpc.caller import principal_of
from services.contracts.inventory.v1 import inventory_pb2 as pb
from services.contracts.inventory.v1.inventory_pb2_grpc import InventoryServicer, add_InventoryServicer_to_server
from services.contracts.money.money import to_proto
from services.contracts.steps import Step, wrong_field
from services.contracts.times import to_timestamp
from services.inventory import use_cases
from services.inventory.domain import Line, Product, Reservation, ReservationState
from services.inventory.ports import Dependencies

SERVICE = "faultline.inventory.v1.Inventory"

Context = grpc.aio.ServicerContext[Any, Any]

_STATES = {
    ReservationState.HELD: pb.RESERVATION_STATE_HELD,
    ReservationState.CONFIRMED: pb.RESERVATION_STATE_CONFIRMED,
    ReservationState.RELEASED: pb.RESERVATION_STATE_RELEASED,
}


def adder(deps: Dependencies) -> Callable[[grpc.aio.Server], None]:
    """What adds the service to a server."""
    return lambda server: add_InventoryServicer_to_server(InventoryApi(deps), server)


class InventoryApi(InventoryServicer):
    """`faultline.inventory.v1.Inventory`."""

    def __init__(self, deps: Dependencies) -> None:
        self._deps = deps

    async def ListProducts(self, request: pb.ListProductsRequest, context: Context) -> pb.ListProductsResponse:
        page = await use_cases.list_products(self._deps, principal_of(context), request.limit, request.cursor)
        items = [_product(each) for each in page.items]
        return pb.ListProductsResponse(products=items, next_cursor=page.next_cursor or "")

    async def GetProduct(self, request: pb.GetProductRequest, context: Context) -> pb.GetProductResponse:
        product = await use_cases.get_product(self._deps, principal_of(context), request.product_id)
        return pb.GetProductResponse(product=_product(product))

    async def BatchGetProducts(
        self, request: pb.BatchGetProductsRequest, context: Context
    ) -> pb.BatchGetProductsResponse:
        found = await use_cases.batch_get_products(self._deps, principal_of(context), request.product_ids)
        return pb.BatchGetProductsResponse(products=[_product(each) for each in found])

    async def Reserve(self, request: pb.ReserveRequest, context: Context) -> pb.ReserveResponse:
        _check_step(request.order_id, request.idempotency_key, Step.RESERVE)
        lines = [Line(each.product_id, each.quantity) for each in request.lines]
        reservation = await use_cases.reserve(self._deps, principal_of(context), request.order_id, lines)
        return pb.ReserveResponse(reservation=_reservation(reservation))

    async def Confirm(self, request: pb.ConfirmRequest, context: Context) -> pb.ConfirmResponse:
        _check_step(request.order_id, request.idempotency_key, Step.CONFIRM)
        reservation = await use_cases.confirm(self._deps, principal_of(context), request.order_id)
        return pb.ConfirmResponse(reservation=_reservation(reservation))

    async def Release(self, request: pb.ReleaseRequest, context: Context) -> pb.ReleaseResponse:
        _check_step(request.order_id, request.idempotency_key, Step.RELEASE)
        reservation = await use_cases.release(self._deps, principal_of(context), request.order_id)
        return pb.ReleaseResponse(reservation=_reservation(reservation))

    async def GetReservation(self, request: pb.GetReservationRequest, context: Context) -> pb.GetReservationResponse:
        reservation = await use_cases.get_reservation(self._deps, principal_of(context), request.order_id)
        return pb.GetReservationResponse(reservation=_reservation(reservation))


def _check_step(order_id: str, key: str, step: Step) -> None:
    if wrong := wrong_field(order_id, step, key):
        raise ProblemError("validation-failed", "the step is not named rightly", errors=[FieldError(*wrong)])


def _product(product: Product) -> pb.Product:
    price = to_proto(product.price)
    return pb.Product(product_id=product.product_id, name=product.name, price=price, available=product.available)


def _reservation(reservation: Reservation) -> pb.Reservation:
    lines = [
        pb.ReservedLine(product_id=each.product_id, quantity=each.quantity, unit_price=to_proto(each.unit_price))
        for each in reservation.lines
    ]
    return pb.Reservation(
        order_id=reservation.order_id,
        state=_STATES[reservation.state],
        lines=lines,
        created_at=to_timestamp(reservation.created_at_us),
        expires_at=to_timestamp(reservation.expires_at_us),
    )

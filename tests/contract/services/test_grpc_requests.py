"""What the gRPC services answer to requests that no client of ours would send."""

from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from observability.telemetry import Telemetry
from services.chassis.principal import Principal
from services.chassis.rpc.client import RpcClient
from services.chassis.rpc.interceptor import ServerInterceptor
from services.chassis.rpc.server import GrpcServer
from services.contracts.errors import CATALOGUE
from services.contracts.inventory.v1 import inventory_pb2 as inventory
from services.contracts.inventory.v1.inventory_pb2_grpc import InventoryStub
from services.contracts.money.money import MAX_AMOUNT_MINOR
from services.contracts.money.v1.money_pb2 import Money
from services.contracts.payments.v1 import payments_pb2 as payments
from services.contracts.payments.v1.payments_pb2_grpc import PaymentsStub
from services.inventory import grpc_api as inventory_api
from services.payments import grpc_api as payments_api
from tests.contract.services.running import HOST, free_port, running, seam
from tests.fakes.shop import ALICE, Shop, shop
from tests.refusals import refused


@pytest.fixture
def it() -> Shop:
    return shop()


@pytest.fixture
async def client(it: Shop, telemetry: Telemetry) -> AsyncIterator[RpcClient]:
    port = free_port()
    servicers = {
        inventory_api.SERVICE: inventory_api.adder(it.inventory_peer.deps),
        payments_api.SERVICE: payments_api.adder(it.payments_peer.deps),
    }
    server = GrpcServer(servicers, ServerInterceptor(telemetry, CATALOGUE), HOST, port)
    made = RpcClient("tests", [f"{HOST}:{port}"], seam("tests", "grpc", telemetry), telemetry)
    async with running(server, made):
        yield made


async def call(client: RpcClient, method: Any, request: Any, principal: Principal | None = ALICE) -> Any:
    return await client.call("Test", method, request, idempotent=True, principal=principal)


LINE = inventory.Line(product_id="p-1", quantity=1)
EUROS = Money(amount_minor=1, currency="EUR")
STEPS = [
    (InventoryStub, "Reserve", inventory.ReserveRequest(lines=[LINE])),
    (InventoryStub, "Confirm", inventory.ConfirmRequest()),
    (InventoryStub, "Release", inventory.ReleaseRequest()),
    (PaymentsStub, "Authorize", payments.AuthorizeRequest(amount=EUROS, payment_method="pm_card_visa")),
    (PaymentsStub, "Capture", payments.CaptureRequest()),
    (PaymentsStub, "Void", payments.VoidRequest()),
    (PaymentsStub, "Refund", payments.RefundRequest()),
]


@pytest.mark.parametrize(("stub", "step", "request_"), STEPS, ids=[step for _, step, _ in STEPS])
@pytest.mark.parametrize(
    ("order_id", "key", "field"),
    [
        ("", "", "order_id"),
        ("o" * 65, "", "order_id"),
        ("o\x00", "", "order_id"),
        ("o", "", "idempotency_key"),
        ("o", "other:reserve", "idempotency_key"),
    ],
)
async def test_a_step_names_its_order_and_its_key(
    client: RpcClient, stub: Any, step: str, request_: Any, order_id: str, key: str, field: str
) -> None:
    asked = type(request_)()
    asked.CopyFrom(request_)
    asked.order_id, asked.idempotency_key = order_id, key
    problem = await refused("validation-failed", call(client, getattr(stub(client.channel), step), asked))
    assert [each.field for each in problem.errors] == [field]


async def test_a_call_says_for_whom_it_is_made(client: RpcClient) -> None:
    asked = inventory.GetProductRequest(product_id="p-1")
    await refused("unauthenticated", call(client, InventoryStub(client.channel).GetProduct, asked, principal=None))
    known = payments.GetPaymentRequest(order_id="o")
    await refused("unauthenticated", call(client, PaymentsStub(client.channel).GetPayment, known, principal=None))


@pytest.mark.parametrize(
    ("amount", "field"),
    [
        (None, "amount"),
        (Money(amount_minor=0, currency="EUR"), "amount"),
        (Money(amount_minor=-(2**63), currency="EUR"), "amount"),
        (Money(amount_minor=MAX_AMOUNT_MINOR + 1, currency="EUR"), "amount"),
        (Money(amount_minor=2**63 - 1, currency="EUR"), "amount"),
        (Money(amount_minor=1), "amount.currency"),
        (Money(amount_minor=1, currency="XXX"), "amount.currency"),
        (Money(amount_minor=1, currency="ZZZ"), "amount.currency"),
        (Money(amount_minor=1, currency="euro"), "amount.currency"),
        (Money(amount_minor=1, currency="eur"), "amount.currency"),
        (Money(amount_minor=1, currency="E" * 70_000), "amount.currency"),
    ],
)
async def test_a_charge_that_is_none_is_refused(client: RpcClient, it: Shop, amount: Money | None, field: str) -> None:
    asked = payments.AuthorizeRequest(order_id="o", idempotency_key="o:authorize", payment_method="pm_card_visa")
    if amount:
        asked.amount.CopyFrom(amount)
    problem = await refused("validation-failed", call(client, PaymentsStub(client.channel).Authorize, asked))
    assert [each.field for each in problem.errors] == [field]
    assert not it.payments.data


@pytest.mark.parametrize("token", ["", "visa", "4242424242424242", "pm_card_visa ", "x" * 70_000])
async def test_a_token_that_nobody_knows_is_refused(client: RpcClient, it: Shop, token: str) -> None:
    asked = payments.AuthorizeRequest(order_id="o", idempotency_key="o:authorize", amount=EUROS, payment_method=token)
    await refused("unknown-payment-method", call(client, PaymentsStub(client.channel).Authorize, asked))
    assert not it.payments.data


async def test_one_can_ask_how_things_stand(client: RpcClient) -> None:
    stock, paid = InventoryStub(client.channel), PaymentsStub(client.channel)
    await refused("reservation-not-found", call(client, stock.GetReservation, inventory.GetReservationRequest()))
    await refused("payment-not-found", call(client, paid.GetPayment, payments.GetPaymentRequest(order_id="o")))
    reserve = inventory.ReserveRequest(order_id="o", idempotency_key="o:reserve", lines=[LINE])
    reserved = await call(client, stock.Reserve, reserve)
    found = await call(client, stock.GetReservation, inventory.GetReservationRequest(order_id="o"))
    assert found.reservation == reserved.reservation
    assert found.reservation.state == inventory.RESERVATION_STATE_HELD
    assert found.reservation.expires_at.seconds - found.reservation.created_at.seconds == 3600


async def test_products_come_in_pages_and_batches(client: RpcClient) -> None:
    stub = InventoryStub(client.channel)
    page = await call(client, stub.ListProducts, inventory.ListProductsRequest())
    assert [each.product_id for each in page.products] == ["p-1"]
    assert page.next_cursor == ""
    batch = await call(client, stub.BatchGetProducts, inventory.BatchGetProductsRequest(product_ids=["x", "p-1"]))
    assert list(batch.products) == list(page.products)
    wrong = inventory.ListProductsRequest(limit=-1)
    await refused("validation-failed", call(client, stub.ListProducts, wrong))


@pytest.mark.parametrize("service", ["", inventory_api.SERVICE, payments_api.SERVICE])
async def test_health_is_told(client: RpcClient, service: str) -> None:
    stub: Any = health_pb2_grpc.HealthStub(client.channel)  # whose types leave out its methods
    answer = await stub.Check(health_pb2.HealthCheckRequest(service=service))
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_the_health_of_a_stranger_is_not_known(client: RpcClient) -> None:
    stub: Any = health_pb2_grpc.HealthStub(client.channel)  # whose types leave out its methods
    with pytest.raises(grpc.aio.AioRpcError) as refused_:
        await stub.Check(health_pb2.HealthCheckRequest(service="stranger"))
    assert refused_.value.code() is grpc.StatusCode.NOT_FOUND

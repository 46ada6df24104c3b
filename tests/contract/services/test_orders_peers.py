"""What orders may rely on at its peers: the use cases behind a wire in memory, and the real clients over gRPC."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace

import pytest

from observability.telemetry import Telemetry
from services.chassis.calls import CallSeam
from services.chassis.edge import Edge
from services.chassis.errors import CallError, PeerFailedError, PeerUnavailableError
from services.chassis.resilience.fallback import FallbackConfig
from services.chassis.resilience.pipeline import EdgePolicy
from services.chassis.rpc.client import RpcClient
from services.chassis.rpc.interceptor import ServerInterceptor
from services.chassis.rpc.server import GrpcServer
from services.contracts.errors import CATALOGUE
from services.contracts.money.money import EUR, Money
from services.inventory import grpc_api as inventory_api
from services.orders import domain, inventory_client, payments_client
from services.orders.domain import Order, Reserved
from services.orders.inventory_client import InventoryClient
from services.orders.payments_client import PaymentsClient
from services.orders.ports import Inventory, Payments, StepPostponedError
from services.payments import grpc_api as payments_api
from services.payments.domain import PaymentState
from tests.contract.services.running import HOST, free_port, running, seam
from tests.fakes.shop import ALICE, NOBODY, Shop, product, request, shop
from tests.refusals import refused


@dataclass
class Peers:
    """As orders sees them, and the shop behind them."""

    inventory: Inventory
    payments: Payments
    shop: Shop


@pytest.fixture(params=["memory", "grpc"])
async def peers(request: pytest.FixtureRequest, telemetry: Telemetry) -> AsyncIterator[Peers]:
    it = shop(product("p-1"), product("p-2", price=70, available=1))
    if request.param == "memory":
        yield Peers(it.inventory_peer, it.payments_peer, it)
        return
    port = free_port()
    servicers = {
        inventory_client.SERVICE: inventory_api.adder(it.inventory_peer.deps),
        payments_client.SERVICE: payments_api.adder(it.payments_peer.deps),
    }
    server = GrpcServer(servicers, ServerInterceptor(telemetry, CATALOGUE), HOST, port)
    async with AsyncExitStack() as stack:
        address = [f"{HOST}:{port}"]
        to_inventory = RpcClient(inventory_client.SERVICE, address, seam("inventory", "grpc", telemetry), telemetry)
        to_payments = RpcClient(payments_client.SERVICE, address, seam("payments", "grpc", telemetry), telemetry)
        await stack.enter_async_context(running(server, to_inventory, to_payments))
        yield Peers(InventoryClient(to_inventory), PaymentsClient(to_payments), it)


def order(*lines: tuple[str, int], payment_method: str = "pm_card_visa", order_id: str = "ord_1") -> Order:
    """An order for these lines, each piece at 5.00 EUR where it is to be charged."""
    placed = domain.placed(order_id, "alice", "tests", request(*lines, payment_method=payment_method), 1)
    return placed.reserved(Reserved({product_id: Money(500, EUR) for product_id, _ in lines}, until_us=2))


class TestInventory:
    async def test_prices_what_it_reserves(self, peers: Peers) -> None:
        goods = await peers.inventory.reserve(ALICE, order(("p-2", 1), ("p-1", 3)))
        assert goods.prices == {"p-1": Money(500, EUR), "p-2": Money(70, EUR)}
        assert goods.until_us == peers.shop.stock.data.reservations["ord_1"].expires_at_us
        assert peers.shop.available("p-1") == 7

    async def test_holds_for_longer_when_it_is_asked_again_late(self, peers: Peers) -> None:
        first = await peers.inventory.reserve(ALICE, order(("p-1", 3)))
        assert await peers.inventory.reserve(ALICE, order(("p-1", 3))) == first
        peers.shop.clock.advance(seconds=1801)
        again = await peers.inventory.reserve(ALICE, order(("p-1", 3)))
        assert again.until_us - first.until_us >= 1801_000_000
        assert peers.shop.available("p-1") == 7

    async def test_confirms_and_releases(self, peers: Peers) -> None:
        for _ in range(2):
            await peers.inventory.reserve(ALICE, order(("p-1", 3)))
            await peers.inventory.confirm(ALICE, order(("p-1", 3)))
        assert peers.shop.stock.data.reservations["ord_1"].state == "confirmed"
        for _ in range(2):
            await peers.inventory.release(ALICE, order(("p-1", 3)))
        assert peers.shop.available("p-1") == 10

    async def test_says_which_lines_are_short(self, peers: Peers) -> None:
        problem = await refused("out-of-stock", peers.inventory.reserve(ALICE, order(("p-1", 3), ("p-2", 2))))
        (error,) = problem.errors
        assert (error.field, error.message) == ("lines[1].quantity", "2 of p-2 asked for, 1 available")

    async def test_says_which_products_it_does_not_know(self, peers: Peers) -> None:
        problem = await refused("unknown-product", peers.inventory.reserve(ALICE, order(("p-1", 3), ("p-9", 2))))
        assert [each.field for each in problem.errors] == ["lines[1].product_id"]

    async def test_refuses_what_was_released(self, peers: Peers) -> None:
        await peers.inventory.release(ALICE, order(("p-1", 3)))
        await refused("reservation-closed", peers.inventory.reserve(ALICE, order(("p-1", 3))))
        await refused("reservation-closed", peers.inventory.confirm(ALICE, order(("p-1", 3))))

    async def test_refuses_those_who_may_not(self, peers: Peers) -> None:
        await refused("forbidden", peers.inventory.reserve(NOBODY, order(("p-1", 3))))

    async def test_that_is_away_leaves_the_outcome_unknown(self, peers: Peers) -> None:
        peers.shop.stock.away = True
        with pytest.raises(CallError):
            await peers.inventory.reserve(ALICE, order(("p-1", 3)))


class TestPayments:
    async def test_charges(self, peers: Peers) -> None:
        for _ in range(2):
            await peers.payments.authorize(ALICE, order(("p-1", 3)))
            await peers.payments.capture(ALICE, order(("p-1", 3)))
        payment = peers.shop.payments.data["ord_1"]
        assert (payment.state, payment.amount) == (PaymentState.CAPTURED, Money(1500, EUR))
        for _ in range(2):
            await peers.payments.refund(ALICE, order(("p-1", 3)))
        assert peers.shop.provider.books == {"ord_1": "refunded"}

    async def test_voids(self, peers: Peers) -> None:
        await peers.payments.authorize(ALICE, order(("p-1", 3)))
        await peers.payments.void(ALICE, order(("p-1", 3)))
        await refused("payment-closed", peers.payments.capture(ALICE, order(("p-1", 3))))

    async def test_refuses_to_void_what_was_captured(self, peers: Peers) -> None:
        await peers.payments.authorize(ALICE, order(("p-1", 3)))
        await peers.payments.capture(ALICE, order(("p-1", 3)))
        await refused("payment-closed", peers.payments.void(ALICE, order(("p-1", 3))))

    async def test_declines(self, peers: Peers) -> None:
        declined = order(("p-1", 3), payment_method="pm_card_declined")
        await refused("payment-declined", peers.payments.authorize(ALICE, declined))

    async def test_does_not_charge_for_something_else(self, peers: Peers) -> None:
        await peers.payments.authorize(ALICE, order(("p-1", 3)))
        await refused("idempotency-key-reused", peers.payments.authorize(ALICE, order(("p-1", 4))))

    async def test_refuses_an_unknown_method(self, peers: Peers) -> None:
        unknown = replace(order(("p-1", 3)), payment_method="4242424242424242")
        await refused("unknown-payment-method", peers.payments.authorize(ALICE, unknown))

    async def test_whose_provider_fails_leaves_the_outcome_unknown(self, peers: Peers) -> None:
        with pytest.raises(PeerFailedError) as failed:
            await peers.payments.authorize(ALICE, order(("p-1", 3), payment_method="pm_card_failing"))
        assert failed.value.problem.slug == "payment-provider-failed"

    async def test_refuses_those_who_may_not(self, peers: Peers) -> None:
        await refused("forbidden", peers.payments.authorize(NOBODY, order(("p-1", 3))))


async def test_a_payments_that_is_away_postpones_every_step_where_fallbacks_are_in_force(telemetry: Telemetry) -> None:
    policy = EdgePolicy(attempt_timeout=10.0, fallback=FallbackConfig())
    edge = CallSeam(Edge("orders", "payments", "grpc"), policy, telemetry, CATALOGUE)
    rpc = RpcClient(payments_client.SERVICE, [f"{HOST}:{free_port()}"], edge, telemetry)
    async with running(rpc):
        client, placed = PaymentsClient(rpc), order(("p-1", 3))
        for step in (client.authorize, client.capture, client.void, client.refund):
            with pytest.raises(StepPostponedError) as caught:
                await step(ALICE, placed)
            assert caught.value.order is placed
            assert isinstance(caught.value.__cause__, PeerUnavailableError)
        edge.use("timeouts")
        with pytest.raises(PeerUnavailableError):
            await client.authorize(ALICE, placed)

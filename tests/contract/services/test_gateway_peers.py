"""What the gateway may rely on at its peers: the owners' use cases in memory, and the real clients over gRPC and REST."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from observability.telemetry import Telemetry
from services.chassis.calls import CallSeam
from services.chassis.edge import Edge
from services.chassis.errors import CallError, MalformedAnswerError, PeerFailedError, ProblemError
from services.chassis.http.client import HttpClient
from services.chassis.http.server import HttpServer
from services.chassis.resilience.fallback import FallbackConfig
from services.chassis.resilience.pipeline import EdgePolicy
from services.chassis.rpc.client import RpcClient
from services.chassis.rpc.interceptor import ServerInterceptor
from services.chassis.rpc.server import GrpcServer
from services.contracts.errors import CATALOGUE
from services.contracts.money.money import EUR, Money
from services.contracts.pages import Page
from services.gateway import inventory_client
from services.gateway.domain import OrderLine, OrderRequest, Product, RequestedLine, Seen
from services.gateway.inventory_client import InventoryClient
from services.gateway.orders_client import OrdersClient
from services.gateway.ports import Catalogue, Orders
from services.gateway.product_cache import MemoryProductCache
from services.inventory import grpc_api
from services.orders.bootstrap import create_app
from tests.contract.services.running import HOST, ROOM, free_port, running, seam
from tests.fakes.clock import FakeClock
from tests.fakes.public import MemoryCatalogue, MemoryPublicOrders
from tests.fakes.shop import ALICE, BOB, NOBODY, Shop, product, shop
from tests.refusals import refused


@dataclass
class Peers:
    """As the gateway sees them, and the shop behind them."""

    catalogue: Catalogue
    orders: Orders
    shop: Shop


@pytest.fixture(params=["memory", "wire"])
async def peers(request: pytest.FixtureRequest, telemetry: Telemetry) -> AsyncIterator[Peers]:
    it = shop(product("p-1"), product("p-2", price=70, available=1))
    if request.param == "memory":
        yield Peers(MemoryCatalogue(it.inventory_peer.deps), MemoryPublicOrders(it.deps), it)
        return
    grpc_port, http_port = free_port(), free_port()
    servicers = {inventory_client.SERVICE: grpc_api.adder(it.inventory_peer.deps)}
    inventory = GrpcServer(servicers, ServerInterceptor(telemetry, CATALOGUE), HOST, grpc_port)
    orders = HttpServer("orders", create_app(it.deps, telemetry, ROOM), HOST, http_port)
    to_orders = seam("orders", "rest", telemetry)
    rpc = RpcClient(inventory_client.SERVICE, [f"{HOST}:{grpc_port}"], seam("inventory", "grpc", telemetry), telemetry)
    http = HttpClient([f"http://{HOST}:{http_port}"], to_orders, telemetry)
    async with running(inventory, orders, rpc, http):
        yield Peers(catalogue(rpc, FakeClock()), OrdersClient(http, to_orders.edge), it)


def catalogue(rpc: RpcClient, clock: FakeClock) -> InventoryClient:
    pages, products = MemoryProductCache[Page[Product]](10, 60, clock), MemoryProductCache[Product](10, 60, clock)
    return InventoryClient(rpc, pages, products)


def asked(*lines: tuple[str, int], payment_method: str = "pm_card_visa") -> OrderRequest:
    return OrderRequest(tuple(RequestedLine(*each) for each in lines), payment_method)


class TestCatalogue:
    async def test_lists_products_in_pages(self, peers: Peers) -> None:
        first = (await peers.catalogue.list_products(ALICE, 1, "")).value
        assert first.items == (Product("p-1", "Product p-1", Money(500, EUR), 10),)
        assert first.next_cursor
        last = (await peers.catalogue.list_products(ALICE, 1, first.next_cursor)).value
        assert [each.product_id for each in last.items] == ["p-2"]
        assert last.next_cursor is None

    async def test_gets_a_product(self, peers: Peers) -> None:
        found = await peers.catalogue.get_product(ALICE, "p-2")
        assert found == Seen(Product("p-2", "Product p-2", Money(70, EUR), 1))
        await refused("product-not-found", peers.catalogue.get_product(ALICE, "p-9"))

    async def test_refuses(self, peers: Peers) -> None:
        await refused("forbidden", peers.catalogue.list_products(NOBODY, 1, ""))
        problem = await refused("validation-failed", peers.catalogue.list_products(ALICE, 1, "made up"))
        assert [each.field for each in problem.errors] == ["cursor"]

    async def test_that_is_away_says_so(self, peers: Peers) -> None:
        peers.shop.stock.away = True
        with pytest.raises(CallError) as failed:
            await peers.catalogue.list_products(ALICE, 1, "")
        assert failed.value.slug == "service-unavailable"


class TestOrders:
    async def test_places_an_order_once(self, peers: Peers) -> None:
        order = await peers.orders.place_order(ALICE, "k", asked(("p-2", 1), ("p-1", 2)))
        assert (order.status, order.reason, order.total) == ("confirmed", None, Money(1070, EUR))
        assert order.lines == (OrderLine("p-2", 1, Money(70, EUR)), OrderLine("p-1", 2, Money(500, EUR)))
        assert order.created_at.tzinfo is not None
        assert await peers.orders.place_order(ALICE, "k", asked(("p-2", 1), ("p-1", 2))) == order
        assert peers.shop.provider.calls == ["authorize", "capture"]

    async def test_says_why_there_is_none(self, peers: Peers) -> None:
        problem = await refused("out-of-stock", peers.orders.place_order(ALICE, "k", asked(("p-2", 2))))
        assert problem.extensions == {"order_id": "ord_1"}
        assert [each.field for each in problem.errors] == ["lines[0].quantity"]
        declined = asked(("p-1", 1), payment_method="pm_card_declined")
        await refused("payment-declined", peers.orders.place_order(ALICE, "k2", declined))
        await refused("idempotency-key-reused", peers.orders.place_order(ALICE, "k", asked(("p-2", 1))))
        await refused("validation-failed", peers.orders.place_order(ALICE, "k3", asked()))
        await refused("validation-failed", peers.orders.place_order(ALICE, "k" * 300, asked(("p-2", 1))))
        rejected = await peers.orders.get_order(ALICE, "ord_1")
        assert (rejected.status, rejected.reason, rejected.total) == ("rejected", "out-of-stock", None)

    async def test_names_the_order_that_stays_pending(self, peers: Peers) -> None:
        peers.shop.payments_peer.wire.losses = ["request"]
        with pytest.raises((PeerFailedError, ProblemError)) as failed:
            await peers.orders.place_order(ALICE, "k", asked(("p-2", 1)))
        problem = failed.value.problem if isinstance(failed.value, PeerFailedError) else failed.value
        assert isinstance(problem, ProblemError)
        assert (problem.slug, problem.extensions) == ("service-unavailable", {"order_id": "ord_1"})
        assert problem.retry_after == 1.0
        assert (await peers.orders.get_order(ALICE, "ord_1")).status == "pending"

    async def test_shows_ones_own(self, peers: Peers) -> None:
        orders = [await peers.orders.place_order(ALICE, f"k{each}", asked(("p-1", 1))) for each in range(3)]
        page = await peers.orders.list_orders(ALICE, 2, "")
        assert list(page.items) == orders[:0:-1]
        assert page.next_cursor
        last = await peers.orders.list_orders(ALICE, 2, page.next_cursor)
        assert (list(last.items), last.next_cursor) == (orders[:1], None)
        assert (await peers.orders.list_orders(BOB, 2, "")).items == ()
        await refused("order-not-found", peers.orders.get_order(BOB, orders[0].order_id))

    async def test_cancels(self, peers: Peers) -> None:
        order = await peers.orders.place_order(ALICE, "k", asked(("p-1", 2)))
        for _ in range(2):
            assert (await peers.orders.cancel_order(ALICE, order.order_id)).status == "cancelled"
        assert peers.shop.provider.books == {"ord_1": "refunded"}
        assert peers.shop.available("p-1") == 10
        assert (await peers.orders.list_orders(ALICE, 2, "")).items[0].status == "cancelled"

    async def test_says_that_a_cancellation_goes_on(self, peers: Peers) -> None:
        order = await peers.orders.place_order(ALICE, "k", asked(("p-1", 2)))
        peers.shop.payments_peer.wire.losses = ["request"]
        assert (await peers.orders.cancel_order(ALICE, order.order_id)).status == "pending"
        assert (await peers.orders.cancel_order(ALICE, order.order_id)).status == "cancelled"

    async def test_does_not_cancel_what_came_to_nothing_nor_what_is_anothers(self, peers: Peers) -> None:
        await refused("out-of-stock", peers.orders.place_order(ALICE, "k", asked(("p-2", 2))))
        problem = await refused("order-not-cancellable", peers.orders.cancel_order(ALICE, "ord_1"))
        assert problem.extensions == {"order_id": "ord_1"}
        await refused("order-not-found", peers.orders.cancel_order(BOB, "ord_1"))
        await refused("forbidden", peers.orders.cancel_order(NOBODY, "ord_1"))

    @pytest.mark.parametrize("order_id", ["x", "../orders", "a/b", "a?b", "\x00", "%"])
    async def test_does_not_find_what_there_is_not(self, peers: Peers, order_id: str) -> None:
        with pytest.raises(ProblemError) as problem:
            await peers.orders.get_order(ALICE, order_id)
        assert problem.value.slug in {"order-not-found", "not-found"}


async def test_an_order_knows_the_trace_that_it_was_placed_in(telemetry: Telemetry) -> None:
    it, port, to_orders = shop(), free_port(), seam("orders", "rest", telemetry)
    server = HttpServer("orders", create_app(it.deps, telemetry, ROOM), HOST, port)
    http = HttpClient([f"http://{HOST}:{port}"], to_orders, telemetry)
    async with running(server, http):
        with telemetry.tracer.start_as_current_span("the customer's request") as span:
            await OrdersClient(http, to_orders.edge).place_order(ALICE, "k", asked(("p-1", 1)))
    version, trace_id, _, flags = it.orders.data.orders["ord_1"].origin.split("-")
    assert (version, trace_id) == ("00", f"{span.get_span_context().trace_id:032x}")
    assert int(flags, 16) & 1, "it is sampled"


@pytest.mark.parametrize("body", [None, [], {}, {"order_id": "o"}, {"order_id": "o", "status": "eaten"}])
async def test_an_answer_that_is_no_order_is_told_from_one(telemetry: Telemetry, body: Any) -> None:
    async def answer(_: object) -> Response:
        return JSONResponse(body)

    port, to_orders = free_port(), seam("orders", "rest", telemetry)
    server = HttpServer("orders", Starlette(routes=[Route("/v1/orders/{order_id}", answer)]), HOST, port)
    http = HttpClient([f"http://{HOST}:{port}"], to_orders, telemetry)
    async with running(server, http):
        with pytest.raises(MalformedAnswerError):
            await OrdersClient(http, to_orders.edge).get_order(ALICE, "o")


class TestACatalogueThatIsAway:
    """The client, with fallbacks in force, before an inventory that is gone."""

    async def test_is_shown_as_it_was_seen_to_those_who_may(self, telemetry: Telemetry) -> None:
        it, port, clock = shop(product("p-1"), product("p-2")), free_port(), FakeClock()
        policy = EdgePolicy(attempt_timeout=10.0, fallback=FallbackConfig())
        edge = CallSeam(Edge("gateway", "inventory", "grpc"), policy, telemetry, CATALOGUE)
        rpc = RpcClient(inventory_client.SERVICE, [f"{HOST}:{port}"], edge, telemetry)
        client = catalogue(rpc, clock)
        servicers = {inventory_client.SERVICE: grpc_api.adder(it.inventory_peer.deps)}
        async with running(rpc):
            async with running(GrpcServer(servicers, ServerInterceptor(telemetry, CATALOGUE), HOST, port)):
                page = (await client.list_products(ALICE, 1, "")).value
            clock.advance(5)
            assert await client.list_products(ALICE, 1, "") == Seen(page, 5.0)
            assert await client.get_product(ALICE, "p-1") == Seen(page.items[0], 5.0), "it was seen on the page"
            for unseen in (client.get_product(ALICE, "p-2"), client.list_products(ALICE, 2, "")):
                with pytest.raises(CallError):
                    await unseen
            with pytest.raises(CallError):
                await client.get_product(NOBODY, "p-1")
            edge.use("timeouts")
            with pytest.raises(CallError):
                await client.list_products(ALICE, 1, "")

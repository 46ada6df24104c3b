"""The gateway's peers in memory: a catalogue and orders that are the owners' use cases, without a network between."""

from datetime import datetime

from services.chassis.principal import Principal
from services.contracts.pages import Page
from services.contracts.times import to_datetime
from services.gateway.domain import Order, OrderLine, OrderRequest, Product, Seen
from services.inventory import domain as inventory_domain
from services.inventory import ports as inventory_ports
from services.inventory import use_cases as inventory
from services.orders import domain as orders_domain
from services.orders import ports as orders_ports
from services.orders import use_cases as orders


class MemoryCatalogue:
    """A Catalogue. With an `age_s` it answers as if that long ago, because its owner does not."""

    def __init__(self, deps: inventory_ports.Dependencies) -> None:
        self._deps = deps
        self.age_s: float | None = None

    async def list_products(self, principal: Principal, limit: int, cursor: str) -> Seen[Page[Product]]:
        page = await inventory.list_products(self._deps, principal, limit, cursor)
        return Seen(Page(tuple(_product(each) for each in page.items), page.next_cursor), self.age_s)

    async def get_product(self, principal: Principal, product_id: str) -> Seen[Product]:
        return Seen(_product(await inventory.get_product(self._deps, principal, product_id)), self.age_s)


class MemoryPublicOrders:
    """An Orders, as the gateway sees them."""

    def __init__(self, deps: orders_ports.Dependencies) -> None:
        self._deps = deps

    async def place_order(self, principal: Principal, key: str, request: OrderRequest) -> Order:
        lines = tuple(orders_domain.OrderLine(each.product_id, each.quantity) for each in request.lines)
        asked = orders_domain.Request(lines, request.payment_method)
        return _order(await orders.checkout(self._deps, principal, key, asked))

    async def get_order(self, principal: Principal, order_id: str) -> Order:
        return _order(await orders.get_order(self._deps, principal, order_id))

    async def cancel_order(self, principal: Principal, order_id: str) -> Order:
        return _order(await orders.cancel_order(self._deps, principal, order_id))

    async def list_orders(self, principal: Principal, limit: int, cursor: str) -> Page[Order]:
        page = await orders.list_orders(self._deps, principal, limit, cursor)
        return Page(tuple(_order(each) for each in page.items), page.next_cursor)


def _product(it: inventory_domain.Product) -> Product:
    return Product(it.product_id, it.name, it.price, it.available)


def _order(it: orders_domain.Order) -> Order:
    lines = tuple(OrderLine(each.product_id, each.quantity, each.unit_price) for each in it.lines)
    reason = it.refusal.reason if it.refusal else None
    created_at: datetime = to_datetime(it.created_at_us)
    return Order(it.order_id, it.status, reason, lines, it.total, created_at)

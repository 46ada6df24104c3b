"""A whole shop in memory: orders, driving the real use cases of inventory and payments over wires that can lose."""

import itertools
from dataclasses import dataclass

from services.chassis.principal import Principal
from services.contracts.money.money import EUR, Money
from services.contracts.scopes import ORDERS_READ, ORDERS_WRITE, PRODUCTS_READ
from services.inventory import ports as inventory_ports
from services.inventory.domain import Product
from services.inventory.ports import Stock
from services.orders import domain
from services.orders.ports import Dependencies, Orders
from services.payments import ports as payments_ports
from services.payments.ports import Payments
from tests.fakes.orders import InventoryPeer, Listener, OrderData, PaymentsPeer, order_store
from tests.fakes.payments import FakeProvider, PaymentData, payment_store
from tests.fakes.stock import StockData, stock_store
from tests.fakes.transactions import MemoryStore

ALICE = Principal("alice", "tests", frozenset({PRODUCTS_READ, ORDERS_READ, ORDERS_WRITE}))
BOB = Principal("bob", "tests", frozenset({PRODUCTS_READ, ORDERS_READ, ORDERS_WRITE}))
NOBODY = Principal("nobody", "tests", frozenset())

HOUR_US = 3_600_000_000


class Clock:
    """A time of day that passes by a microsecond whenever it is looked at, and by what it is told."""

    def __init__(self) -> None:
        self.now_us = 1_700_000_000_000_000

    def __call__(self) -> int:
        self.now_us += 1
        return self.now_us

    def advance(self, seconds: float) -> None:
        self.now_us += int(seconds * 1_000_000)


@dataclass
class Shop:
    """The parts of it that a test looks at."""

    deps: Dependencies
    orders: MemoryStore[OrderData, Orders]
    stock: MemoryStore[StockData, Stock]
    payments: MemoryStore[PaymentData, Payments]
    inventory_peer: InventoryPeer
    payments_peer: PaymentsPeer
    provider: FakeProvider
    listener: Listener
    clock: Clock

    def available(self, product_id: str) -> int:
        return self.stock.data.products[product_id].available


def product(product_id: str, price: int = 500, available: int = 10) -> Product:
    return Product(product_id, f"Product {product_id}", Money(price, EUR), available)


def request(*lines: tuple[str, int], payment_method: str = "pm_card_visa") -> domain.Request:
    return domain.Request(tuple(domain.OrderLine(*each) for each in lines), payment_method)


def shop(*products: Product) -> Shop:
    """An open shop with these products, or with one, p-1, of which there are ten at 5.00 EUR."""
    clock, stock, paid, orders, provider = Clock(), stock_store(), payment_store(), order_store(), FakeProvider()
    stock.data.products |= {each.product_id: each for each in products or (product("p-1"),)}
    inventory = InventoryPeer(inventory_ports.Dependencies(stock, clock, HOUR_US))
    payments = PaymentsPeer(payments_ports.Dependencies(paid, provider, clock))
    listener, ids = Listener(), itertools.count(1)
    deps = Dependencies(orders, inventory, payments, listener, clock, lambda: f"ord_{next(ids)}")
    return Shop(deps, orders, stock, paid, inventory, payments, provider, listener, clock)

"""A StockStore in memory."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from services.inventory.domain import Product, Reservation, ReservationState
from services.inventory.ports import Stock
from tests.fakes.transactions import MemoryStore


@dataclass
class StockData:
    """By id: products, and reservations by their orders."""

    products: dict[str, Product] = field(default_factory=dict)
    reservations: dict[str, Reservation] = field(default_factory=dict)


class MemoryStock:
    """A Stock."""

    def __init__(self, data: StockData) -> None:
        self._data = data

    async def products_after(self, product_id: str, limit: int) -> Sequence[Product]:
        return [self._data.products[each] for each in sorted(self._data.products) if each > product_id][:limit]

    async def products(self, product_ids: Iterable[str]) -> dict[str, Product]:
        return {each: self._data.products[each] for each in product_ids if each in self._data.products}

    async def add_products(self, products: Sequence[Product]) -> None:
        for each in products:
            self._data.products.setdefault(each.product_id, each)

    async def reservation(self, order_id: str) -> Reservation | None:
        return self._data.reservations.get(order_id)

    async def add_reservation(self, reservation: Reservation) -> bool:
        return self._data.reservations.setdefault(reservation.order_id, reservation) is reservation

    async def take(self, product_id: str, quantity: int) -> bool:
        product = self._data.products[product_id]
        if product.available < quantity:
            return False
        self._data.products[product_id] = replace(product, available=product.available - quantity)
        return True

    async def give_back(self, product_id: str, quantity: int) -> None:
        product = self._data.products[product_id]
        self._data.products[product_id] = replace(product, available=product.available + quantity)

    async def expired(self, now_us: int, limit: int) -> Sequence[Reservation]:
        held = [each for each in self._data.reservations.values() if each.state is ReservationState.HELD]
        due = [each for each in held if each.expires_at_us <= now_us]
        return sorted(due, key=lambda each: each.expires_at_us)[:limit]

    async def save(self, reservation: Reservation, before: ReservationState) -> None:
        stored = self._data.reservations[reservation.order_id]
        if stored.state is not before:
            raise LookupError(f"{reservation.order_id} is {stored.state}, not {before}")
        self._data.reservations[reservation.order_id] = reservation


def stock_store() -> MemoryStore[StockData, Stock]:
    return MemoryStore(StockData(), MemoryStock)

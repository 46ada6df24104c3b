"""What the inventory's use cases need from outside."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from services.inventory.domain import Product, Reservation, ReservationState

T = TypeVar("T")

Clock = Callable[[], int]
"""The time of day: microseconds since 1970 in UTC."""


class Stock(Protocol):
    """Catalogue, stock and reservations, seen within one transaction."""

    async def products_after(self, product_id: str, limit: int) -> Sequence[Product]:
        """At most `limit` products, by id, whose id is above `product_id`."""

    async def products(self, product_ids: Iterable[str]) -> dict[str, Product]:
        """Those of the products that exist, by id."""

    async def add_products(self, products: Sequence[Product]) -> None:
        """Adds those products whose ids are new; leaves the others as they are."""

    async def reservation(self, order_id: str) -> Reservation | None:
        """The order's reservation. Within a writing transaction nobody else can change it until the end."""

    async def add_reservation(self, reservation: Reservation) -> bool:
        """Adds it with its lines, but not where the order has one: then False."""

    async def take(self, product_id: str, quantity: int) -> bool:
        """Takes pieces from what is available; where there are fewer, takes none and says False."""

    async def give_back(self, product_id: str, quantity: int) -> None:
        """Puts pieces back to what is available."""

    async def expired(self, now_us: int, limit: int) -> Sequence[Reservation]:
        """At most `limit` held reservations that have expired by now, those first that did so first.

        Within a writing transaction nobody else can change them until the end; those that somebody else is just
        changing are left out.
        """

    async def save(self, reservation: Reservation, before: ReservationState) -> None:
        """Stores what may change of a reservation: state, expiry, refusal; the stored one must be in `before`."""


class StockStore(Protocol):
    """Runs work in a transaction, which is undone when the work raises. Work may be run more than once."""

    async def read(self, operation: str, work: Callable[[Stock], Awaitable[T]]) -> T: ...

    async def write(self, operation: str, work: Callable[[Stock], Awaitable[T]]) -> T: ...


@dataclass(frozen=True)
class Dependencies:
    """Everything a use case may use; `hold_for_us` is how long a reservation is held, in microseconds."""

    store: StockStore
    clock: Clock
    hold_for_us: int

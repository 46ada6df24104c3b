"""What the gateway's use cases and its pipeline need from outside."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

from services.chassis.principal import Principal
from services.contracts.pages import Page
from services.gateway.domain import Order, OrderRequest, Product, Seen


class Authenticator(Protocol):
    """Finds out who is asking."""

    async def authenticate(self, headers: Mapping[str, str]) -> Principal:
        """The principal that the headers (names in lower case) prove.

        Raises: ProblemError unauthenticated.
        """


class Catalogue(Protocol):
    """The products, as they are or, where their owner does not answer, as they were seen.

    Raises ProblemError with the owner's refusal, CallError where there is no answer, old or new.
    """

    async def list_products(self, principal: Principal, limit: int, cursor: str) -> Seen[Page[Product]]: ...

    async def get_product(self, principal: Principal, product_id: str) -> Seen[Product]: ...


T = TypeVar("T")

CacheKey = tuple[str | int | frozenset[str], ...]
"""What was asked for, and with which scopes: what one may see, another may not."""


class ProductCache(Protocol[T]):
    """What the owner of products answered last. Bounded in number and in age: what it has not, it has not."""

    def keep(self, key: CacheKey, value: T) -> None:
        """Notes a new answer."""

    def find(self, key: CacheKey) -> Seen[T] | None:
        """The last answer to that question, with its age."""


class Orders(Protocol):
    """The orders. Raises ProblemError with the owner's refusal, CallError where there is no answer."""

    async def place_order(self, principal: Principal, key: str, request: OrderRequest) -> Order: ...

    async def get_order(self, principal: Principal, order_id: str) -> Order: ...

    async def cancel_order(self, principal: Principal, order_id: str) -> Order: ...

    async def list_orders(self, principal: Principal, limit: int, cursor: str) -> Page[Order]: ...


@dataclass(frozen=True)
class Dependencies:
    """Everything a use case may use."""

    catalogue: Catalogue
    orders: Orders

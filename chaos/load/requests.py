"""What each kind of request looks like on the public API."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from random import Random
from types import MappingProxyType
from typing import Any, Final

from chaos.load.kinds import Kind

PRODUCTS: Final = "/api/v1/products"
PRODUCT: Final = "/api/v1/products/{product_id}"
ORDERS: Final = "/api/v1/orders"

TOO_MANY: Final = 1000  # pieces; allowed in one line, and more than the catalogue ever has of a product
NO_SUCH_PRODUCT: Final = "p-9999"

CARD_FINE: Final = "pm_card_visa"
CARD_DECLINED: Final = "pm_card_declined"


@dataclass(frozen=True, slots=True)
class Request:
    """A request as data. `route` is the template that answers are counted under, `path` what is sent."""

    method: str
    route: str
    path: str
    body: Mapping[str, Any] | None = None


class RequestMaker:
    """Draws requests. Products follow Zipf's law: the n-th of the list comes 1/n^exponent as often as the first."""

    def __init__(self, rng: Random, products: Sequence[str], zipf_exponent: float) -> None:
        self._rng = rng
        self._products = products
        self._popularity = list(accumulate(rank**-zipf_exponent for rank in range(1, len(products) + 1)))

    def make(self, kind: Kind) -> Request:
        return _MAKERS[kind](self)

    def browse(self) -> Request:
        return Request("GET", PRODUCTS, PRODUCTS)

    def product(self) -> Request:
        [product_id] = self._draw(most=1)
        return Request("GET", PRODUCT, f"{PRODUCTS}/{product_id}")

    def checkout_ok(self) -> Request:
        return _checkout(self._basket())

    def checkout_declined(self) -> Request:
        return _checkout(self._basket(), CARD_DECLINED)

    def checkout_too_much(self) -> Request:
        return _checkout(dict.fromkeys(self._draw(most=1), TOO_MANY))

    def checkout_unknown(self) -> Request:
        return _checkout({NO_SUCH_PRODUCT: self._quantity()})

    def _basket(self) -> dict[str, int]:
        """Product → pieces."""
        return {product_id: self._quantity() for product_id in self._draw(most=3)}

    def _draw(self, most: int) -> list[str]:
        """One to `most` different products."""
        drawn = self._rng.choices(self._products, cum_weights=self._popularity, k=self._rng.randint(1, most))
        return list(dict.fromkeys(drawn))

    def _quantity(self) -> int:
        return self._rng.choice((1, 1, 1, 2))


def _checkout(basket: Mapping[str, int], card: str = CARD_FINE) -> Request:
    lines = [{"product_id": product_id, "quantity": quantity} for product_id, quantity in basket.items()]
    return Request("POST", ORDERS, ORDERS, {"lines": lines, "payment_method": card})


_MAKERS: Final[Mapping[Kind, Callable[[RequestMaker], Request]]] = MappingProxyType(
    {
        Kind.BROWSE: RequestMaker.browse,
        Kind.PRODUCT: RequestMaker.product,
        Kind.CHECKOUT_OK: RequestMaker.checkout_ok,
        Kind.CHECKOUT_DECLINED: RequestMaker.checkout_declined,
        Kind.CHECKOUT_TOO_MUCH: RequestMaker.checkout_too_much,
        Kind.CHECKOUT_UNKNOWN: RequestMaker.checkout_unknown,
    }
)

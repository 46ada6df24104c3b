"""The catalogue that a new inventory starts with: the same 200 products everywhere, p-0001 to p-0200.

A few products are nearly or wholly sold out, so that every refusal can be had on demand.
"""

from services.contracts.money.money import EUR, Money
from services.inventory.domain import Product

SIZE = 200

SCARCE = {50: 10, 100: 5, 150: 1, 200: 0}
"""Number of a product → its few pieces."""

_KINDS = (
    "Mug", "Lamp", "Chair", "Notebook", "Backpack", "Kettle", "Scarf", "Clock", "Teapot", "Cushion",
    "Vase", "Blanket", "Umbrella", "Wallet", "Candle", "Poster", "Headphones", "Keyboard", "Bottle", "Stool",
)  # fmt: skip
_MAKES = ("Oak", "Linen", "Copper", "Granite", "Velvet", "Cobalt", "Amber", "Willow", "Slate", "Coral")


def products(pieces: int) -> tuple[Product, ...]:
    """All products, with `pieces` of each that is not scarce."""
    return tuple(_product(number, pieces) for number in range(1, SIZE + 1))


def _product(number: int, pieces: int) -> Product:
    kind, make = _KINDS[(number - 1) % len(_KINDS)], _MAKES[(number - 1) // len(_KINDS)]
    # 4.99 to 204.99, spread without a pattern a reader would see.
    price = Money(499 + (number * 7919) % 201 * 100, EUR)
    return Product(f"p-{number:04d}", f"{make} {kind}", price, SCARCE.get(number, pieces))

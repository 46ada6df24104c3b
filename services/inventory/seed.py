"""Fills an empty inventory with its catalogue, when the service starts."""

from collections.abc import Sequence

from services.inventory import use_cases
from services.inventory.domain import Product
from services.inventory.ports import Dependencies


class Seed:
    """A component that is done once it has started."""

    name = "catalogue seed"

    def __init__(self, deps: Dependencies, products: Sequence[Product]) -> None:
        self._deps, self._products = deps, products

    async def start(self) -> None:
        await use_cases.add_catalogue(self._deps, self._products)

    async def drain(self) -> None:
        """Nothing is in flight."""

    async def stop(self) -> None:
        """Nothing is held."""

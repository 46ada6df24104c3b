"""Asks the gateway which products there are, and whether it takes orders, before a plan is made."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any, Final

import aiohttp

from chaos.load.errors import CatalogueError
from chaos.load.requests import ORDERS, PRODUCTS
from chaos.load.sender import open_session
from chaos.load.target import loopback_url
from observability import semconv

_PAGE: Final = 100
_TIMEOUT_S: Final = 10.0


async def fetch_product_ids(
    gateway_url: str, key: str, most: int = 200, containers: Collection[str] = ()
) -> tuple[str, ...]:
    """Up to `most` product ids, in the order in which the gateway lists them. `containers` as in `loopback_url`.

    Raises `TargetError` for an address that is not on this machine, `CatalogueError` when there is no usable answer.
    """
    url = loopback_url(gateway_url, containers) + PRODUCTS
    async with open_session(_TIMEOUT_S) as session:
        with _said_of(url, "did not list products"):
            found = await _pages(session, url, {semconv.HEADER_API_KEY: key}, most)
    if not found:
        raise CatalogueError(f"{url} lists no products")
    return tuple(found[:most])


async def check_orders(gateway_url: str, key: str, containers: Collection[str] = ()) -> None:
    """Returns when orders can be listed. Raises as `fetch_product_ids` does."""
    url = loopback_url(gateway_url, containers) + ORDERS
    async with open_session(_TIMEOUT_S) as session:
        with _said_of(url, "did not list orders"):
            await _page(session, url, {semconv.HEADER_API_KEY: key}, {"limit": "1"})


@contextmanager
def _said_of(url: str, what: str) -> Iterator[None]:
    try:
        yield
    except (aiohttp.ClientError, TimeoutError, ValueError, KeyError, TypeError) as error:
        raise CatalogueError(f"{url} {what}: {type(error).__name__} {error}") from error


async def _pages(session: aiohttp.ClientSession, url: str, headers: dict[str, str], most: int) -> list[str]:
    found: list[str] = []
    params: dict[str, str] = {"limit": str(min(most, _PAGE))}
    for _ in range(most):  # every page has an item at least; a cursor that goes in circles ends too
        page = await _page(session, url, headers, params)
        found += [item["product_id"] for item in page["items"]]
        if len(found) >= most or not page["next_cursor"]:
            break
        params["cursor"] = page["next_cursor"]
    return found


async def _page(session: aiohttp.ClientSession, url: str, headers: dict[str, str], params: dict[str, str]) -> Any:
    async with session.get(url, headers=headers, params=params, allow_redirects=False) as response:
        if response.status != 200:
            raise ValueError(f"status {response.status}")
        return await response.json()

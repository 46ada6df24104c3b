from collections.abc import Callable

import pytest
from aiohttp import web

from chaos.load import CatalogueError, TargetError, fetch_product_ids
from tests.unit.load.fake_gateway import PRODUCTS, FakeGateway, problem


@pytest.mark.parametrize("most", [1, 99, 100, 101, 250])
async def test_products_are_read_page_by_page(gateway: FakeGateway, most: int) -> None:
    assert await fetch_product_ids(gateway.url, "flk_x", most) == PRODUCTS[:most]


async def test_a_short_catalogue_is_read_whole(gateway: FakeGateway) -> None:
    assert await fetch_product_ids(gateway.url, "flk_x", 1000) == PRODUCTS


@pytest.mark.parametrize(
    "answer",
    [
        lambda: problem(401, "unauthenticated"),
        lambda: web.json_response({"items": [], "next_cursor": None}),
        lambda: web.json_response({"items": [{}], "next_cursor": None}),
        lambda: web.json_response([]),
        lambda: web.Response(text="{", content_type="application/json"),
        lambda: web.Response(text="<html>", content_type="text/html"),
    ],
)
async def test_a_gateway_without_products_is_named(gateway: FakeGateway, answer: Callable[[], web.Response]) -> None:
    gateway.instead = lambda _: answer()
    with pytest.raises(CatalogueError, match=gateway.url):
        await fetch_product_ids(gateway.url, "flk_x")


async def test_a_cursor_in_circles_ends(gateway: FakeGateway) -> None:
    gateway.instead = lambda _: web.json_response({"items": [{"product_id": "p-0001"}], "next_cursor": "again"})
    assert len(await fetch_product_ids(gateway.url, "flk_x", 5)) == 5


async def test_other_machines_are_not_asked() -> None:
    with pytest.raises(TargetError):
        await fetch_product_ids("http://192.0.2.1", "flk_x")

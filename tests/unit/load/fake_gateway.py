"""A gateway as the load generator meets it: a real HTTP server with the public API's answers, and nothing behind it."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

PRODUCTS = tuple(f"p-{number:04d}" for number in range(1, 251))
TRACE_ID = "0af7651916cd43dd8448eb211c80319c"


@dataclass(frozen=True)
class Seen:
    """A request as it arrived; `at` on the loop's clock."""

    at: float
    method: str
    path: str
    headers: Mapping[str, str]
    body: Any


@dataclass
class FakeGateway:
    """Its behaviour may be changed while it runs. `abandoned` counts requests whose client went away."""

    url: str = ""
    delay_s: float = 0.0
    instead: Callable[[web.Request], web.Response | None] | None = None
    stock: int = 100
    drop_connections: bool = False
    seen: list[Seen] = field(default_factory=list)
    abandoned: int = 0
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        return app

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(10), self._changed:
            await self._changed.wait_for(holds)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.json() if request.can_read_body else None
        now = asyncio.get_running_loop().time()
        self.seen.append(Seen(now, request.method, request.path, request.headers, body))
        await self._tell()
        await self._delay()
        if self.drop_connections and request.transport:
            request.transport.abort()
        return (self.instead and self.instead(request)) or self._answer(request, body)

    def _answer(self, request: web.Request, body: Any) -> web.Response:
        if request.method == "POST":
            return _checkout(body, self.stock)
        if request.path == "/api/v1/products":
            return _page(int(request.query.get("limit", "20")), request.query.get("cursor"))
        return web.json_response({"product_id": request.path.rpartition("/")[2]}, headers={"X-Trace-Id": TRACE_ID})

    async def _delay(self) -> None:
        try:
            await asyncio.sleep(self.delay_s)
        except asyncio.CancelledError:
            self.abandoned += 1
            await self._tell()
            raise

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()


def server(gateway: FakeGateway) -> TestServer:
    return TestServer(gateway.app(), host="127.0.0.1", handler_cancellation=True)


def problem(status: int, slug: str, **extensions: str) -> web.Response:
    body = {"type": f"/problems/{slug}", "title": slug, "status": status, **extensions}
    return web.json_response(
        body, status=status, content_type="application/problem+json", headers={"X-Trace-Id": TRACE_ID}
    )


def _page(limit: int, cursor: str | None) -> web.Response:
    first = int(cursor or 0)
    items = [{"product_id": name} for name in PRODUCTS[first : first + limit]]
    following = first + limit
    return web.json_response({"items": items, "next_cursor": str(following) if following < len(PRODUCTS) else None})


def _checkout(body: Any, stock: int) -> web.Response:
    line = body["lines"][0]
    if line["product_id"] not in PRODUCTS:
        return problem(422, "unknown-product", order_id="o-3")
    if line["quantity"] > stock:
        return problem(409, "out-of-stock", order_id="o-2")
    if body["payment_method"] == "pm_card_declined":
        return problem(402, "payment-declined", order_id="o-1")
    headers = {"Location": "/api/v1/orders/o-0", "X-Trace-Id": TRACE_ID}
    return web.json_response({"order_id": "o-0", "status": "confirmed"}, status=201, headers=headers)

"""A customer of the public API who remembers every answer that named an order, as a promise to be held to."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from chaos.invariants import Acknowledged, status_of_answer
from deploy.supervisor.keys import ClientKey
from tests.waiting import become

SETTLED_WITHIN_S = 300.0
_TIMEOUT_S = 30.0

UNSETTLED = frozenset({"idempotency-key-in-use", "service-unavailable", "deadline-exceeded"})
"""The problems after which a checkout may be asked for again."""


@dataclass(frozen=True)
class Answer:
    """`slug` is the problem's, empty for none; `status` is 0 where no answer came."""

    status: int
    slug: str = ""
    body: dict[str, Any] = field(default_factory=dict)
    retry_after: str = ""

    @property
    def settled(self) -> bool:
        """It will never be another one: it came, it was no accident, and it does not say that the order is kept for later."""
        return self.status not in {0, 202} and self.slug not in UNSETTLED

    @property
    def order_id(self) -> str:
        return str(self.body.get("order_id", ""))

    @property
    def told(self) -> tuple[int, dict[str, Any]]:
        """All that it says of the order: each answer has a trace of its own."""
        return self.status, {name: value for name, value in self.body.items() if name != "trace_id"}


class Customer:
    """One user. `told` and `answers` are appended to, in the order in which answers come."""

    def __init__(self, session: aiohttp.ClientSession, key: ClientKey, told: list[Acknowledged]) -> None:
        self.user_id = key.user_id
        self.answers: list[Answer] = []
        self._session, self._headers, self._told = session, {"X-API-Key": key.key}, told

    async def check_out(
        self, key: str, card: str = "pm_card_visa", product_id: str = "p-0001", quantity: int = 1
    ) -> Answer:
        """Sends a checkout once."""
        order = {"lines": [{"product_id": product_id, "quantity": quantity}], "payment_method": card}
        answer = await self._ask("POST", "/api/v1/orders", {"Idempotency-Key": key}, order)
        if answer.order_id:
            status = status_of_answer(answer.status, answer.slug)
            self._told.append(Acknowledged(answer.order_id, self.user_id, key, status))
        return answer

    async def insist(
        self, key: str, card: str = "pm_card_visa", product_id: str = "p-0001", quantity: int = 1
    ) -> Answer:
        """Repeats a checkout until it is settled."""

        async def settled() -> Answer:
            answer = await self.check_out(key, card, product_id, quantity)
            assert answer.settled, answer
            return answer

        return await become(settled, SETTLED_WITHIN_S, pause=0.25)

    async def cancel(self, order_id: str) -> Answer:
        """Asks for the order's cancellation once. Accepted, it is certain, so that `pending` is a promise as well."""
        self._told.append(Acknowledged(order_id, self.user_id, None, "pending", cancellation_asked=True))
        answer = await self._ask("PUT", f"/api/v1/orders/{order_id}/cancellation")
        if answer.status in {200, 202}:
            self._told.append(Acknowledged(order_id, self.user_id, None, "cancelled", cancellation_asked=True))
        return answer

    async def newest(self) -> dict[str, Any] | None:
        """The customer's newest order, where one is shown."""
        items = (await self._ask("GET", "/api/v1/orders?limit=1")).body.get("items")
        return items[0] if items else None

    async def _ask(self, method: str, path: str, headers: dict[str, str] | None = None, body: object = None) -> Answer:
        try:
            async with self._session.request(
                method, path, json=body, headers={**self._headers, **(headers or {})}
            ) as response:
                content = await response.json(content_type=None)
                slug = str(content.get("type", "")).removeprefix("/problems/")
                answer = Answer(response.status, slug, content, response.headers.get("Retry-After", ""))
        except (aiohttp.ClientError, TimeoutError, ValueError):
            answer = Answer(0)
        self.answers.append(answer)
        return answer


@asynccontextmanager
async def customers(
    url: str, keys: Iterable[ClientKey], told: list[Acknowledged]
) -> AsyncIterator[dict[str, Customer]]:
    """By user id; each request has a connection of its own, so that none meets one that a killed gateway left."""
    connector = aiohttp.TCPConnector(limit=0, force_close=True)
    timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
    async with aiohttp.ClientSession(url, connector=connector, timeout=timeout) as session:
        yield {key.user_id: Customer(session, key, told) for key in keys}

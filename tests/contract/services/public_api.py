"""A client of the public API, as contract tests use it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from tests.contract.services.openapi_document import Document
from tests.fakes.public import MemoryCatalogue
from tests.fakes.shop import Shop

ORDERS = "/api/v1/orders"
PRODUCTS = "/api/v1/products"
ALL = ["orders:read", "orders:write", "products:read"]


@dataclass
class Answer:
    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def body(self) -> Any:
        return json.loads(self.text)


@dataclass
class Api:
    """Sends requests as alice, unless told otherwise."""

    session: aiohttp.ClientSession
    url: str
    shop: Shop
    catalogue: MemoryCatalogue
    headers: dict[str, str] = field(default_factory=lambda: {"X-API-Key": "flk_alice"})
    undocumented: list[str] = field(default_factory=list)
    document: Document | None = None

    async def ask(self, method: str, path: str, **arguments: Any) -> Answer:
        headers = {**self.headers, **arguments.pop("headers", {})}
        async with self.session.request(method, self.url + path, headers=headers, **arguments) as response:
            answer = Answer(response.status, response.headers, await response.text())
        if self.document:
            body = answer.body if answer.text and response.content_type.endswith("json") else None
            self.undocumented += self.document.undocumented(method, path, answer.status, response.content_type, body)
        return answer

    async def check_out(self, quantity: int = 1, key: str = "k", payment_method: str = "pm_card_visa") -> Answer:
        body = {"lines": [{"product_id": "p-1", "quantity": quantity}], "payment_method": payment_method}
        return await self.ask("POST", ORDERS, json=body, headers={"Idempotency-Key": key})


def keys_file(folder: Path) -> Path:
    entries = [
        {"sha256": hashlib.sha256(key.encode()).hexdigest(), "user_id": user, "client_id": "tests", "scopes": scopes}
        for key, user, scopes in (("flk_alice", "alice", ALL), ("flk_bob", "bob", ALL), ("flk_nobody", "nobody", []))
    ]
    path = folder / "api-keys.json"
    path.write_text(json.dumps({"keys": entries}))
    return path


def slug(answer: Answer) -> str:
    """Of the problem that the answer must be."""
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.body
    assert problem["status"] == answer.status
    assert problem["trace_id"] == answer.headers["X-Trace-Id"]
    return str(problem["type"]).removeprefix("/problems/")

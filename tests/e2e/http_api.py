"""The public API as a client sees it; sends what it is told, however wrong."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

TIMEOUT_S = 15.0
TIMED_OUT = 504


@dataclass(frozen=True)
class Answer:
    """A whole answer; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def trace_id(self) -> str:
        return self.headers["x-trace-id"]


class Api:
    """A client of one server. `key` is sent as X-API-Key unless a request brings its own, or None to leave it out."""

    def __init__(self, url: str, key: str = "") -> None:
        self._address = urlsplit(url)
        self._key = key

    def request(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str | None] | None = None,
        body: bytes | None = None,
        chunked: bool = False,
    ) -> Answer:
        """Sends one request on a connection of its own. Raises OSError or HTTPException when there is no answer."""
        sent = {"X-API-Key": self._key or None} | dict(headers or {})
        connection = HTTPConnection(self._address.hostname or "", self._address.port, timeout=TIMEOUT_S)
        try:
            connection.request(
                method,
                path,
                iter([body or b""]) if chunked else body,
                {name: value for name, value in sent.items() if value is not None},
                encode_chunked=chunked,
            )
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, found, response.read())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Answer:
        return self.request("GET", path, headers)

    def check_out(self, order: Any = None, key: str = "", **headers: str) -> Answer:
        """Posts an order, a plain good one unless told; `key` is the idempotency key, a new one unless told."""
        sent = {"Content-Type": "application/json", "Idempotency-Key": key or str(uuid.uuid4())} | headers
        return self.request("POST", "/api/v1/orders", sent, json.dumps(order or an_order()).encode())


def an_order(product_id: str = "p-0001", quantity: int = 1, payment_method: str = "pm_card_visa") -> dict[str, Any]:
    return {"lines": [{"product_id": product_id, "quantity": quantity}], "payment_method": payment_method}

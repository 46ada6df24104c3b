"""Customers in threads of their own, who buy and browse, evenly, until told to stop."""

import threading
from collections import Counter
from http.client import HTTPException
from typing import Self

from deploy.system import System
from tests.e2e.http_api import Api
from tests.e2e.running import shopper


class Shoppers:
    """A context manager. `number` of them, each with a checkout, or a look at the products, every `every_s` seconds."""

    def __init__(self, system: System, number: int = 2, every_s: float = 0.3) -> None:
        self._api = shopper(system)
        self._every_s = every_s
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._seen: Counter[str] = Counter()
        self._threads = [threading.Thread(target=self._go, args=(each,), daemon=True) for each in range(number)]

    def __enter__(self) -> Self:
        for each in self._threads:
            each.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for each in self._threads:
            each.join()

    @property
    def seen(self) -> Counter[str]:
        """What they were answered until now: `POST 201`, `GET 200`, `GET TimeoutError`."""
        with self._lock:
            return self._seen.copy()

    def _go(self, number: int) -> None:
        turn = number
        while not self._ended.wait(self._every_s):
            turn += 1
            told = _told("POST", self._api) if turn % 4 else _told("GET", self._api)
            with self._lock:
                self._seen[told] += 1


def _told(method: str, api: Api) -> str:
    try:
        answer = api.check_out() if method == "POST" else api.get("/api/v1/products?limit=5")
    except (OSError, HTTPException) as exc:
        return f"{method} {type(exc).__name__}"
    return f"{method} {answer.status}"

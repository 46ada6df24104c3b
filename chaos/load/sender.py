"""Sends one request and says what became of it. aiohttp's errors end here."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import aiohttp

from chaos.load import outcomes
from chaos.load.outcomes import Outcome
from chaos.load.plan import Arrival
from observability import semconv

PROBLEM: Final = "application/problem+json"

# The first match counts, so the special ones come first.
_REASONS: Final[Sequence[tuple[type[Exception], str]]] = (
    (TimeoutError, "timeout"),
    (aiohttp.ClientConnectorError, "connection-refused"),
    (aiohttp.ServerDisconnectedError, "connection-lost"),
    (aiohttp.ClientOSError, "connection-lost"),
    (aiohttp.ClientPayloadError, "answer-broken"),
    (aiohttp.ClientError, "answer-not-http"),
    (ValueError, "answer-not-json"),
)


@dataclass(frozen=True, slots=True)
class Answer:
    """`order_id` is the order that a checkout made, refused ones included; None where the answer named none."""

    outcome: Outcome
    trace_id: str | None = None
    order_id: str | None = None


def open_session(timeout_s: float) -> aiohttp.ClientSession:
    """A session for load: as many connections as requests, no cookies, nothing from the environment."""
    # Idle connections are closed before uvicorn does it (5 s): a request that meets the closing looks failed.
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=3)
    timeout = aiohttp.ClientTimeout(total=timeout_s)
    return aiohttp.ClientSession(connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar())


class Sender:
    """Sends arrivals to one gateway, each with its user's key."""

    def __init__(self, session: aiohttp.ClientSession, base_url: str, keys: Sequence[str]) -> None:
        self._session = session
        self._base_url = base_url
        self._keys = keys

    async def send(self, arrival: Arrival) -> Answer:
        """Never raises for what the network or the gateway does; takes no longer than the session's timeout."""
        try:
            return await self._exchange(arrival)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            return Answer(outcomes.unanswered(_reason(error)))

    async def _exchange(self, arrival: Arrival) -> Answer:
        request = arrival.request
        async with self._session.request(
            request.method,
            self._base_url + request.path,
            json=request.body,
            headers=self._headers(arrival),
            allow_redirects=False,  # a redirect could lead away from this machine
        ) as response:
            return _read(response.status, response.headers, await response.read())

    def _headers(self, arrival: Arrival) -> dict[str, str]:
        headers = {semconv.HEADER_API_KEY: self._keys[arrival.user]}
        if arrival.idempotency_key is not None:
            headers[semconv.HEADER_IDEMPOTENCY_KEY] = arrival.idempotency_key
        return headers


def _read(status: int, headers: Mapping[str, str], body: bytes) -> Answer:
    # Successes are told by their headers: parsing every page of the catalogue would cost more than sending.
    problem = _problem(body) if headers.get("Content-Type", "").startswith(PROBLEM) else {}
    order_id = problem.get("order_id") or headers.get("Location", "").rpartition("/")[2]
    outcome = outcomes.of_answer(status, problem.get("type"), stale="Cache-Status" in headers)
    return Answer(outcome, headers.get(semconv.HEADER_TRACE_ID), order_id or None)


def _problem(body: bytes) -> dict[str, Any]:
    problem = json.loads(body)
    return problem if isinstance(problem, dict) else {}


def _reason(error: Exception) -> str:
    return next(reason for kind, reason in _REASONS if isinstance(error, kind))

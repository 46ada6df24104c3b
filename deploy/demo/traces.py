"""Reads a trace from the query API as soon as it is whole."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import aiohttp

from observability.embedded import waterfall
from observability.embedded.waterfall import Waterfall

JaegerTrace = dict[str, Any]
"""One element of `data` in Jaeger's answer."""

IsWhole = Callable[[Waterfall], bool]

_POLL_S: Final = 0.1
_QUIET_POLLS: Final = 6  # processes send their spans in batches: whole is what has also stopped growing


async def fetch_trace(query_url: str, trace_id: str, is_whole: IsWhole, timeout_s: float) -> JaegerTrace | None:
    """The trace once it is whole and no longer grows; after `timeout_s` as it is then, None if there is nothing.

    Spans arrive when their processes have collected a batch, and nobody says when the last has come: so this polls.
    Raises `aiohttp.ClientError` when the query API is away.
    """
    growing = _GrowingTrace(is_whole)
    async with aiohttp.ClientSession() as session:
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await growing.follow(session, f"{query_url}/api/traces/{trace_id}")
    return growing.latest


class _GrowingTrace:
    """A trace whose spans are still arriving."""

    def __init__(self, is_whole: IsWhole) -> None:
        self.latest: JaegerTrace | None = None
        self._is_whole = is_whole
        self._quiet = 0

    async def follow(self, session: aiohttp.ClientSession, url: str) -> None:
        """Read until there is nothing more to wait for."""
        while not self._done():
            await asyncio.sleep(_POLL_S)
            if (trace := await _read(session, url)) is not None:
                self._take(trace)

    def _take(self, trace: JaegerTrace) -> None:
        grown = self.latest is None or len(trace["spans"]) > len(self.latest["spans"])
        self._quiet = 0 if grown else self._quiet + 1
        self.latest = trace

    def _done(self) -> bool:
        return self.latest is not None and self._quiet >= _QUIET_POLLS and self._is_whole(waterfall.build(self.latest))


async def _read(session: aiohttp.ClientSession, url: str) -> JaegerTrace | None:
    async with session.get(url) as response:
        if response.status == 404:
            return None
        response.raise_for_status()
        [trace] = (await response.json())["data"]
        found: JaegerTrace = trace
        return found

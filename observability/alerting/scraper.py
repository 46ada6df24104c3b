"""Asks processes for their metrics over HTTP, all at the same time."""

import asyncio
import logging
from collections.abc import Collection, Sequence
from typing import Final

import aiohttp

from observability import semconv
from observability.alerting.counts import Scrape
from observability.alerting.targets import Target
from observability.exposition import parse
from observability.metrics import Instruments

log = logging.getLogger(__name__)

_MOST_BYTES: Final = 16_000_000


class Scraper:
    """Reads the chosen `names` of `targets`; one that has not told all within `timeout_s` has not answered."""

    def __init__(
        self, targets: Sequence[Target], names: Collection[str], timeout_s: float, metrics: Instruments
    ) -> None:
        self._targets, self._names, self._metrics = targets, names, metrics
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._answering: set[Target] = set()
        for result in semconv.SCRAPE_RESULTS:
            metrics.zero(semconv.ALERTS_SCRAPES, result)

    async def scrape(self, session: aiohttp.ClientSession) -> list[Scrape]:
        """One round. Raises nothing: whoever does not answer is told as such."""
        return await asyncio.gather(*(self._one(session, each) for each in self._targets))

    async def _one(self, session: aiohttp.ClientSession, target: Target) -> Scrape:
        try:
            text = await self._text(session, target)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as exc:
            self._failed(target, exc)
            return Scrape(target, None)
        self._metrics.add(semconv.ALERTS_SCRAPES, semconv.SCRAPE_ANSWERED)
        self._answering.add(target)
        return Scrape(target, parse(text, self._names))

    def _failed(self, target: Target, error: Exception) -> None:
        self._metrics.add(semconv.ALERTS_SCRAPES, semconv.SCRAPE_FAILED)
        if target in self._answering:  # one that still starts is nothing to tell of
            self._answering.discard(target)
            about = {"target": target.instance, "error": f"{type(error).__name__} {error}".rstrip()}
            log.warning("a process tells its metrics no more", extra=about)

    async def _text(self, session: aiohttp.ClientSession, target: Target) -> str:
        url, accept = f"http://{target.address}/metrics", {"Accept": "text/plain"}
        async with session.get(url, headers=accept, timeout=self._timeout) as answer:
            if answer.status != 200:
                raise ValueError(f"answered {answer.status}")
            body = bytearray()
            async for chunk in answer.content.iter_any():
                body += chunk
                if len(body) > _MOST_BYTES:
                    raise ValueError(f"answered more than {_MOST_BYTES} bytes")
            return body.decode("utf-8", "replace")

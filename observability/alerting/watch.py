"""Scrapes and evaluates, round after round, until told to stop."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

import aiohttp

from observability.alerting.evaluator import Evaluator
from observability.alerting.scraper import Scraper

log = logging.getLogger(__name__)


Choose = Callable[[aiohttp.ClientSession], Awaitable[Evaluator | None]]
"""Who is to observe a round; nobody is asked anything where it is nobody."""


async def watch(choose: Choose, scraper: Scraper, interval_s: float) -> None:
    """Runs until cancelled. A round that comes late does not hurry the next ones."""
    loop = asyncio.get_running_loop()
    connector = aiohttp.TCPConnector(limit_per_host=1)
    async with aiohttp.ClientSession(connector=connector) as session:
        while True:
            due = loop.time() + interval_s
            if evaluator := await choose(session):
                scrapes = await scraper.scrape(session)
                evaluator.observe(loop.time(), time.time(), scrapes)
            await asyncio.sleep(max(due - loop.time(), interval_s / 10))

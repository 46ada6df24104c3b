"""Waiting for what will become true, instead of sleeping and hoping."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

_PAUSE_S = 0.05


def eventually(check: Callable[[], T], within: float = 10.0) -> T:
    """What `check` returns once it no longer raises AssertionError; raises its last one after `within` seconds."""
    give_up = time.monotonic() + within
    while True:
        try:
            return check()
        except AssertionError:
            if time.monotonic() > give_up:
                raise
        time.sleep(_PAUSE_S)


async def become(check: Callable[[], Awaitable[T]], within: float = 10.0, pause: float = _PAUSE_S) -> T:
    """`eventually` for what has to be awaited; others run on meanwhile. Asks again after `pause` seconds."""
    give_up = time.monotonic() + within
    while True:
        try:
            return await check()
        except AssertionError:
            if time.monotonic() > give_up:
                raise
        await asyncio.sleep(pause)

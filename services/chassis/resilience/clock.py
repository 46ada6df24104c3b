"""Time and chance as the policies see them: given, so that tests can decide them."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random

Clock = Callable[[], float]
"""Monotonic seconds; only differences mean something."""

Sleep = Callable[[float], Awaitable[None]]
"""Waits for so many seconds."""

MONOTONIC: Clock = time.monotonic


@dataclass(frozen=True)
class Surroundings:
    """What the policies of one edge are given from outside. `random` need not be hard to guess: it spreads load."""

    clock: Clock = MONOTONIC
    sleep: Sleep = asyncio.sleep
    random: Random = field(default_factory=Random)

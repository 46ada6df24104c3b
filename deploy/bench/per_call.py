"""What it costs to call something that answers at once: processor time of one call, over that of a bare await.

Processor time of the thread, as nothing is waited for: what else the machine does then counts only where it spoils caches.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from statistics import median

from deploy.bench.paired import Measure
from services.chassis.resilience import deadline
from services.chassis.resilience.deadline import Deadline

Call = Callable[[], Awaitable[object]]

_CALLS = 50
"""Calls between two turns of the event loop, so that timers which were cancelled are cleared away as in a server."""

_TURNS = 20
_ROUNDS = 5


async def answer_at_once(*_: object) -> None:
    """The work around which all that is measured here stands."""


def over_bare_await(call: Call, *, deadline_s: float | None = None) -> Measure:
    """Measures microseconds of one `call` over awaiting `answer_at_once`, in a request with that deadline."""
    return lambda: asyncio.run(_over_bare_await(call, deadline_s))


async def _over_bare_await(call: Call, deadline_s: float | None) -> float:
    """The median of some rounds, each of which measures the bare await too."""
    with deadline.bound(Deadline.after(deadline_s)) if deadline_s else nullcontext():
        rounds = [await _per_call(call) - await _per_call(answer_at_once) for _ in range(_ROUNDS)]
    return median(rounds)


async def _per_call(call: Call) -> float:
    """Microseconds."""
    spent = 0
    for _ in range(_TURNS):
        began = time.thread_time_ns()
        for _ in range(_CALLS):
            await call()
        await asyncio.sleep(0)
        spent += time.thread_time_ns() - began
    return spent / (_TURNS * _CALLS * 1000)

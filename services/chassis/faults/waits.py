"""Awaiting, never blocking: a wait that ends with its fault, and with the request's deadline, which cancels it."""

import asyncio
import contextlib
import random

from services.chassis.faults.distributions import seconds
from services.chassis.faults.kinds import Kind
from services.chassis.faults.parameters import Fixed, Normal, Pareto, Uniform
from services.chassis.faults.store import Armed


async def wait(armed: Armed, dice: random.Random) -> None:
    """What a latency or a blackhole does to a request; nothing for another kind."""
    match armed.fault.parameters:
        case Fixed() | Uniform() | Normal() | Pareto() as latency:
            await pause(armed, seconds(latency, dice))
        case _ if armed.fault.kind is Kind.BLACKHOLE:
            await pause(armed, armed.remaining_s)


async def pause(armed: Armed, duration: float) -> None:
    """Awaits `duration` seconds, less if the fault is over before."""
    loop = asyncio.get_running_loop()
    over = loop.create_future()

    def ended() -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(_set, over)

    armed.on_end(ended)
    try:
        await asyncio.wait([over], timeout=min(duration, armed.remaining_s))
    finally:
        armed.forget(ended)
        over.cancel()


def _set(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)

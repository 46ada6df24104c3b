"""A hop that runs, from the outside."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Final, cast

from deploy.bench.figure import FigureRefusedError
from deploy.bench.hop.app import ORDER, PROFILE, SPANS, SPENT, Variant
from deploy.bench.hop.load import HOST, ask_for, ask_once
from deploy.ports import FreePorts

_MOST_OF_THE_SERVERS: Final = 0.8


@dataclass(frozen=True)
class Turn:
    """What a while under load came to: microseconds of processor time for a request, and requests in a second."""

    request_us: float
    per_second: float
    in_other_threads: float
    """The share of the processor time that was spent beside the thread that serves: on exporting spans."""


@dataclass(frozen=True)
class Hop:
    """One variant's server."""

    port: int

    def turn(self, seconds: float) -> Turn:
        """Raises FigureRefusedError where who asked had about as much to do as who answered."""
        return asyncio.run(self._turn(seconds))

    def spans(self) -> Mapping[str, float]:
        """Spans so far, by what became of them."""
        return cast("Mapping[str, float]", asyncio.run(ask_once(self.port, SPANS)))

    def profile(self, seconds: float) -> Mapping[str, float]:
        """Whose work under load takes which share of the serving thread's time, the largest first."""
        return asyncio.run(self._profile(seconds))

    async def _profile(self, seconds: float) -> Mapping[str, float]:
        await ask_once(self.port, PROFILE.format(state="start"))
        await ask_for(self.port, ORDER, seconds)
        return cast("Mapping[str, float]", await ask_once(self.port, PROFILE.format(state="stop")))

    async def _turn(self, seconds: float) -> Turn:
        before = await ask_once(self.port, SPENT)
        load = await ask_for(self.port, ORDER, seconds)
        after = await ask_once(self.port, SPENT)
        spent = after["process_s"] - before["process_s"]
        if load.own_s > _MOST_OF_THE_SERVERS * spent:
            raise FigureRefusedError(f"asking took {load.own_s:.2f} s of processor time, answering {spent:.2f} s")
        others = spent - (after["thread_s"] - before["thread_s"])
        return Turn(spent / load.answers * 1e6, load.answers / load.seconds, others / spent)


@contextmanager
def running(variant: Variant, collector: str, core: int) -> Iterator[Hop]:
    """A server of `variant` on that core for the block."""
    ports = FreePorts(HOST)
    port = ports.take()
    command = [sys.executable, "-m", "deploy.bench.hop", variant, str(port), collector, str(core)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        if cast("IO[str]", process.stdout).readline().strip() != "ready":
            raise FigureRefusedError(f"the {variant} server did not start")
        yield Hop(port)
    finally:
        process.communicate()
        ports.claim.close()

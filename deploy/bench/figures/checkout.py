"""What being traced costs the whole checkout: how many a core still serves of those that it serves untraced."""

import asyncio
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Final
from urllib.parse import urlsplit

from deploy.bench.checkout.load import Checkouts, check_out_for
from deploy.bench.checkout.spent import Spent, spent_by
from deploy.bench.figure import Benchmark, Measured, Say
from deploy.bench.paired import Pairs, measure_pairs
from deploy.system import System, start_system

_PAIRS: Final = 5
_TURN_S: Final = 4.0  # processor time of other processes is told in hundredths of a second
_SYSTEMS: Final = "deploy.bench.checkout.systems"


def _measure(name: str, say: Say) -> Measured:
    say("starting two systems")
    with _started("UNTRACED") as untraced, _started(name) as traced:
        pairs = measure_pairs(untraced.checkout_ms, traced.checkout_ms, _PAIRS, lambda n: say(f"pair {n} of {_PAIRS}"))
        return Measured(pairs.ratios.median, _detail(pairs, untraced, traced))


class _Turns:
    """The turns of one system so far."""

    def __init__(self, system: System) -> None:
        self._system, self._turns = system, list[tuple[Checkouts, Spent]]()
        self._idle_share = self._idle()

    def _idle(self) -> float:
        """Processor seconds a second that the services spend while nobody asks anything."""
        before = spent_by(self._system.supervisor_pid)
        time.sleep(_TURN_S)
        return spent_by(self._system.supervisor_pid).since(before).services_s / _TURN_S

    def checkout_ms(self) -> float:
        """Takes one more; the services' processor time for a checkout, beyond what they spend idle."""
        gateway, key = urlsplit(self._system.gateway_url), self._system.key("load").key
        before = spent_by(self._system.supervisor_pid)
        checkouts = asyncio.run(check_out_for(gateway.hostname or "", gateway.port or 80, key, _TURN_S))
        spent = spent_by(self._system.supervisor_pid).since(before)
        self._turns.append((checkouts, spent))
        return (spent.services_s - self._idle_share * checkouts.seconds) / checkouts.confirmed * 1e3

    @property
    def per_second(self) -> float:
        return median(checkouts.confirmed / checkouts.seconds for checkouts, _ in self._turns[1:])

    @property
    def backend_ms(self) -> float:
        return median(spent.backend_s / checkouts.confirmed * 1e3 for checkouts, spent in self._turns[1:])


@contextmanager
def _started(name: str) -> Iterator[_Turns]:
    with (
        tempfile.TemporaryDirectory(prefix="faultline-bench-") as folder,
        start_system(Path(folder), topology=f"{_SYSTEMS}:{name}") as system,
    ):
        yield _Turns(system)


def _detail(pairs: Pairs, untraced: _Turns, traced: _Turns) -> str:
    return (
        f"ratio {pairs.ratios}; the four services' processor time for a checkout, without what they spend idle: untraced {pairs.ours} ms, traced"
        f" {pairs.theirs} ms, and the trace backend {traced.backend_ms:.2f} ms beside them; {untraced.per_second:.0f} and"
        f" {traced.per_second:.0f} checkouts/s by the clock on the whole machine; metered in both; medians (least to largest)"
        f" of {_PAIRS} alternating pairs"
    )


def _benchmark(name: str, system: str, about: str) -> Benchmark:
    return Benchmark(
        name=f"checkout/{name}",
        about=f"checkouts that a core serves, of those that it serves untraced: {about}",
        unit="x",
        goal=0.5,
        better="higher",
        measure=lambda say: _measure(system, say),
    )


BENCHMARKS: Final[Sequence[Benchmark]] = (
    _benchmark("stock", "OBSERVED", "every trace recorded, HTTP by the stock instrumentation"),
    _benchmark("lean", "LEAN", "every trace recorded, HTTP by our own middleware"),
)

"""What an outage of payments costs at fifty requests a second: one run of the experiment, and what its record says."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from chaos.runs import catalogue, experimenter
from chaos.runs.errors import RunError
from chaos.runs.experimenter import Wanted, Watcher
from chaos.runs.verdict import Outcome
from deploy.bench.figure import Benchmark, FigureRefusedError, Measured, Say
from deploy.system import start_system

_EXPERIMENT: Final = "payments-down"
_RPS: Final = 50.0
_ARMS: Final = ("retries", "budgeted", "full")
_SHOWN: Final = (Outcome.PASSED, Outcome.DEVIATED)

Figures = Mapping[str, Mapping[str, float | None]]
"""By arm, as records have them."""


@dataclass(frozen=True)
class Asked:
    """`figure` is the record's name of it, whose values are multiplied by `scale`."""

    arm: str
    figure: str
    scale: float = 1.0

    def measure(self, say: Say) -> Measured:
        """Raises `FigureRefusedError` where the run shows nothing, or this did not happen in it."""
        say(f"{_EXPERIMENT} with {', '.join(_ARMS)}: one run for each figure of it, of two minutes and a half")
        each = {arm: self._told(figures) for arm, figures in _figures().items()}
        if (value := each[self.arm]) is None:
            raise FigureRefusedError(f"{self.figure} was not seen with {self.arm}")
        others = ", ".join(f"{arm} {'-' if told is None else f'{told:.3g}'}" for arm, told in each.items())
        return Measured(value, f"{_RPS:g} requests/s, half of them checkouts; all arms: {others}")

    def _told(self, figures: Mapping[str, float | None]) -> float | None:
        found = figures[self.figure]
        return None if found is None else found * self.scale


@cache
def _figures() -> Figures:
    """Raises `FigureRefusedError` where an arm shows nothing."""
    with tempfile.TemporaryDirectory(prefix="faultline-bench-") as folder, start_system(Path(folder)) as system:
        wanted = Wanted(_ARMS, rps=_RPS)
        try:
            found, _ = experimenter.run(catalogue.load(_EXPERIMENT), wanted, system.state.path, Watcher())
        except RunError as exc:
            raise FigureRefusedError(str(exc)) from exc
    for arm in found["arms"]:
        if arm["verdict"]["outcome"] not in _SHOWN:
            raise FigureRefusedError(f"{arm['policy']}: {arm['verdict']['outcome']}: {arm['verdict']['reasons']}")
    return {arm["policy"]: arm["found"]["figures"] for arm in found["arms"]}


BENCHMARKS: Final[Sequence[Benchmark]] = (
    Benchmark(
        name="outage/amplification",
        about="attempts per call while payments refuses connections, with a retry budget",
        unit="x",
        goal=1.2,
        better="lower",
        measure=Asked("budgeted", "fault_amplification").measure,
    ),
    Benchmark(
        name="outage/opening",
        about="from the outage of payments until its circuit breaker is open",
        unit="s",
        goal=1,
        better="lower",
        measure=Asked("full", "time_to_open_s").measure,
    ),
    Benchmark(
        name="outage/refusal",
        about="the slowest of a hundred calls that the open breaker refuses",
        unit="ms",
        goal=50,
        better="lower",
        measure=Asked("full", "unserved_call_p99_s", scale=1000).measure,
    ),
    Benchmark(
        name="outage/recovery",
        about="from the return of payments until checkouts are whole again",
        unit="s",
        goal=6,  # a second beyond the breaker's longest wait (`resilience/defaults.py`)
        better="lower",
        measure=Asked("full", "time_to_recover_s").measure,
    ),
)

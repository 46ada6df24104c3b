"""What an outage of payments costs at fifty requests a second: one run of the experiment, and what its record says."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

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

Arm = Mapping[str, Any]
"""As records have them: `verdict`, and `found` with its `figures`."""


@dataclass(frozen=True)
class Asked:
    """`figure` is the record's name of it, whose values are multiplied by `scale`."""

    policy: str
    figure: str
    scale: float = 1.0

    def measure(self, say: Say) -> Measured:
        """Raises `FigureRefusedError` where the arm shows nothing, or this did not happen in it."""
        say(f"{_EXPERIMENT} with {', '.join(_ARMS)}: one run for each figure of it, of two minutes and a half")
        arms = _arms()
        _check(arms[self.policy])
        if (value := self._of(arms[self.policy])) is None:
            raise FigureRefusedError(f"{self.figure} was not seen with {self.policy}")
        others = ", ".join(
            f"{name} {'-' if (told := self._of(arm)) is None else f'{told:.3g}'}" for name, arm in arms.items()
        )
        return Measured(value, f"{_RPS:g} requests/s, half of them checkouts; all arms: {others}")

    def _of(self, arm: Arm) -> float | None:
        found = arm["found"].get("figures", {}).get(self.figure)
        return None if found is None else float(found) * self.scale


@cache
def _arms() -> Mapping[str, Arm]:
    """By policy. Raises `FigureRefusedError` where the experiment cannot be run."""
    with tempfile.TemporaryDirectory(prefix="faultline-bench-") as folder, start_system(Path(folder)) as system:
        wanted = Wanted(_ARMS, rps=_RPS)
        try:
            found, _ = experimenter.run(catalogue.load(_EXPERIMENT), wanted, system.state.path, Watcher())
        except RunError as exc:
            raise FigureRefusedError(str(exc)) from exc
    return {arm["policy"]: arm for arm in found["arms"]}


def _check(arm: Arm) -> None:
    """Raises `FigureRefusedError` for one that the machine was too slow for."""
    verdict = arm["verdict"]
    if verdict["outcome"] not in _SHOWN:
        raise FigureRefusedError(f"{arm['policy']}: {verdict['outcome']}: {'; '.join(verdict['reasons'])}")


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

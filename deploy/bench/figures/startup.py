"""How long `up` takes until everything is ready, against as many processes that only import the same libraries."""

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from deploy.bench.figure import Benchmark, Measured, Say
from deploy.bench.imports import Imports, import_together, imports_of
from deploy.bench.paired import Pairs, measure_pairs
from deploy.system import start_system
from deploy.topology import FAULTLINE

_PAIRS: Final = 5
_MODULES: Final = ("deploy.supervisor", *(process.module for process in FAULTLINE.processes))


def measure(say: Say) -> Measured:
    """The median of the ratios of pairs measured turn by turn. Raises `FigureRefusedError`."""
    imports = [imports_of(module) for module in _MODULES]
    pairs = measure_pairs(_time_up, lambda: import_together(imports), _PAIRS, lambda n: say(f"pair {n} of {_PAIRS}"))
    return Measured(pairs.ratios.median, _detail(pairs, imports))


def _time_up() -> float:
    """Seconds until the whole system is ready, in a new state folder."""
    with tempfile.TemporaryDirectory(prefix="faultline-bench-") as folder:
        began = time.perf_counter()
        with start_system(Path(folder)):
            return time.perf_counter() - began


def _detail(pairs: Pairs, imports: Sequence[Imports]) -> str:
    return (
        f"ratio {pairs.ratios}; up until ready {pairs.ours} s, {len(imports)} processes that only import the same"
        f" libraries {pairs.theirs} s; medians (least to largest) of {_PAIRS} alternating pairs"
    )


BENCHMARK: Final = Benchmark(
    name="startup",
    about="`up` until ready against as many processes that only import the same libraries",
    unit="x",
    goal=1.5,
    better="lower",
    measure=measure,
)

"""What the whole system keeps in memory: services, supervisor and an empty trace backend."""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import psutil

from deploy.bench.figure import Benchmark, FigureRefusedError, Measured, Say
from deploy.supervisor.memory import Memory, memory_of
from deploy.system import start_system

_MB: Final = 1_000_000


def measure(say: Say) -> Measured:
    """The sum over the supervisor and everything below it, once all is ready. Raises `FigureRefusedError`."""
    with tempfile.TemporaryDirectory(prefix="faultline-bench-") as folder:
        say("starting the system")
        with start_system(Path(folder)) as system:
            return _summed(list(_memories(system.supervisor_pid)))


def _memories(supervisor_pid: int) -> Iterator[Memory]:
    for process in (supervisor := psutil.Process(supervisor_pid), *supervisor.children(recursive=True)):
        if (memory := memory_of(process.pid)) is None:
            raise FigureRefusedError(f"process {process.pid} of the system ended, or its memory cannot be read")
        yield memory


def _summed(memories: Sequence[Memory]) -> Measured:
    kinds = " and ".join(sorted({memory.kind.upper() for memory in memories}))
    sizes = sorted((memory.bytes / _MB for memory in memories), reverse=True)
    each = ", ".join(f"{size:.0f}" for size in sizes)
    return Measured(
        sum(sizes), f"{kinds} of {len(sizes)} idle processes, right after the start: {each} MB (10^6 bytes)"
    )


BENCHMARK: Final = Benchmark(
    name="memory",
    about="memory of the services, the supervisor and the empty trace backend",
    unit="MB",
    goal=700,
    better="lower",
    measure=measure,
)

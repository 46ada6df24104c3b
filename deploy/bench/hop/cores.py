"""Which processor core does what, so that who asks and who answers don't take each other's time."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from deploy.bench.figure import FigureRefusedError


def two_cores() -> tuple[int, int]:
    """A core to serve on and one to ask from. Raises FigureRefusedError where there is one alone.

    Where a process can't be kept to a core, the two numbers mean nothing, and the system shares its cores out by itself.
    """
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count() or 1))
    if len(cores) < 2:
        raise FigureRefusedError("it needs two cores: one to serve on, one to ask from")
    return cores[0], cores[1]


def keep_to(core: int) -> None:
    """Keeps this process to that core."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {core})


@contextmanager
def kept_to(core: int) -> Iterator[None]:
    """Keeps this thread, and what it starts, to that core for the block."""
    before = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    keep_to(core)
    try:
        yield
    finally:
        if before:
            os.sched_setaffinity(0, before)

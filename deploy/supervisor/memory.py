"""How much memory a process has: its share of what is really there, where the system can tell."""

from dataclasses import dataclass
from typing import Literal

import psutil


@dataclass(frozen=True)
class Memory:
    """`pss` counts pages shared by n processes as 1/n each, so that processes add up; `rss` counts them n times."""

    bytes: int
    kind: Literal["pss", "rss"]


def memory_of(pid: int) -> Memory | None:
    """None when there is no such process any more, or the system does not tell us about it."""
    try:
        process = psutil.Process(pid)
        full = process.memory_full_info()
        pss = getattr(full, "pss", 0)
        return Memory(pss, "pss") if pss else Memory(full.rss, "rss")
    except psutil.Error:
        return None

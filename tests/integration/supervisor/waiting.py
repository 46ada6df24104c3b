"""Waiting for conditions, and for processes that are not our children."""

from collections.abc import Callable, Iterable
from typing import TypeVar

import psutil

from deploy.supervisor import leftovers
from tests.waiting import eventually

T = TypeVar("T")

PATIENCE_S = 60.0


def until(condition: Callable[[], T | None], patience_s: float = PATIENCE_S) -> T:
    """The first true value of `condition`; fails with its last value when there is none."""

    def check() -> T:
        value = condition()
        assert value, f"still {value!r}"
        return value

    return eventually(check, within=patience_s)


def children_of(pid: int) -> list[psutil.Process]:
    return psutil.Process(pid).children(recursive=True)


def await_end(processes: Iterable[psutil.Process], patience_s: float = PATIENCE_S) -> None:
    """Returns when none of them runs any more; a zombie that nobody has reaped yet does not run."""
    until(lambda: not [each for each in processes if runs(each)], patience_s)


def runs(process: psutil.Process) -> bool:
    return process.is_running() and leftovers.born(process.pid) is not None

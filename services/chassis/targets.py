"""A peer's replicas, taken in turn."""

import itertools
from collections.abc import Sequence


class RoundRobin:
    """Gives the addresses of `targets` one after the other, without end."""

    def __init__(self, targets: Sequence[str]) -> None:
        self._next = itertools.cycle(targets)

    def next(self) -> str:
        return next(self._next)

"""A figure: one measured number, its goal, and how it came about."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from deploy.errors import DeployError

Better = Literal["higher", "lower"]

Say = Callable[[str], None]
"""Tells people what is being done, a line at a time."""


class FigureRefusedError(Exception):
    """The figure could not be measured, or not in a way that means anything; the text says why."""


@dataclass(frozen=True)
class Figure:
    """`value` and `goal` in `unit`. `value` None: refused, and `detail` says why."""

    name: str
    value: float | None
    unit: str
    goal: float
    better: Better
    detail: str

    @property
    def met(self) -> bool:
        """Whether the value reaches the goal; a refused figure reaches none."""
        if self.value is None:
            return False
        return self.value >= self.goal if self.better == "higher" else self.value <= self.goal

    def as_dict(self) -> dict[str, Any]:
        """For JSON: the fields by their names."""
        return asdict(self)


@dataclass(frozen=True)
class Measured:
    """What a measurement brings: the number, and in words how it came about, with its spread."""

    value: float
    detail: str


@dataclass(frozen=True)
class Benchmark:
    """A figure that can be measured.

    `measure` raises `FigureRefusedError` when the result would mean nothing, `DeployError` when the system does not run.
    """

    name: str
    about: str
    unit: str
    goal: float
    better: Better
    measure: Callable[[Say], Measured]

    def run(self, say: Say) -> Figure:
        """Measure, or say why not."""
        try:
            measured = self.measure(say)
        except (FigureRefusedError, DeployError) as error:
            return Figure(self.name, None, self.unit, self.goal, self.better, f"refused: {error}")
        return Figure(self.name, measured.value, self.unit, self.goal, self.better, measured.detail)

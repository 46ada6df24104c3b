"""The phases of a run: before the fault, during it, after it."""

from dataclasses import dataclass, field
from math import inf
from typing import Final

from chaos.measure.errors import MeasureError

BEFORE: Final = "before"
FAULT: Final = "fault"
AFTER: Final = "after"
WHOLE: Final = "whole"


class PhaseError(MeasureError):
    """A phase that there is not, or that was not reached; the text names those that were."""


@dataclass
class Phases:
    """When what began, in seconds since the run began; None: not yet. Load is measured from `measured_s` on."""

    measured_s: float = 0.0
    fault_s: float | None = None
    lifted_s: float | None = None
    ended_s: float | None = None
    notes: list[tuple[float, str]] = field(default_factory=list)

    def span(self, name: str) -> tuple[float, float]:
        """From when to when it was. Raises PhaseError."""
        end = inf if self.ended_s is None else self.ended_s
        spans = {
            BEFORE: (self.measured_s, end if self.fault_s is None else self.fault_s),
            FAULT: None if self.fault_s is None else (self.fault_s, end if self.lifted_s is None else self.lifted_s),
            AFTER: None if self.lifted_s is None else (self.lifted_s, end),
            WHOLE: (self.measured_s, end),
        }
        if name not in spans:
            raise PhaseError(f"there is no phase {name!r}; phases: {', '.join(spans)}")
        found = spans[name]
        if found is None:
            raise PhaseError(f"the phase {name!r} was not reached")
        return found

"""Stop conditions: when an objective burns so fast that an arm of an experiment must end. Pure.

Burn rate: the share of bad requests over the share that may be bad (Site Reliability Workbook, chapter 5): at 1 the
budget lasts just as long as it is meant to, at 1 / budget every request is bad.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from chaos.measure.requests import Request, of_journey
from observability.stack.objectives import Objectives

LEAST: Final = 10  # requests that a judgement needs


class StopCondition(BaseModel):
    """As an experiment declares it for an arm: `{objective: browse.availability, burn_rate: 20, over_s: 5}`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    objective: Annotated[str, Field(pattern=r"^[a-z-]+\.(availability|latency)$")]
    burn_rate: Annotated[float, Field(gt=0)]
    over_s: Annotated[float, Field(ge=1, le=300)]

    @property
    def journey(self) -> str:
        return self.objective.partition(".")[0]

    @property
    def aspect(self) -> Literal["availability", "latency"]:
        return "latency" if self.objective.endswith(".latency") else "availability"

    def __str__(self) -> str:
        return f"{self.objective} burning {self.burn_rate:g} times its budget over {self.over_s:g} s"


@dataclass(frozen=True)
class Stop:
    """A condition that was reached, `at_s` seconds after the run began."""

    condition: str
    at_s: float
    burn_rate: float

    def __str__(self) -> str:
        return f"{self.condition}: reached after {self.at_s:.1f} s, with {self.burn_rate:.3g}"


def unknown_objectives(conditions: Sequence[StopCondition], objectives: Objectives) -> list[str]:
    """The objectives that are named and do not exist."""
    return list(dict.fromkeys(each.objective for each in conditions if each.journey not in objectives))


def reached(
    conditions: Sequence[StopCondition], requests: Sequence[Request], now_s: float, objectives: Objectives
) -> Stop | None:
    """The first condition that is reached now, judged by the requests that were finished in its span of time."""
    for each in conditions:
        finished = [one for one in of_journey(requests, each.journey) if now_s - each.over_s <= one.done_s <= now_s]
        burning = burn_rate(each, finished, objectives)
        if len(finished) >= LEAST and burning >= each.burn_rate:
            return Stop(str(each), now_s, burning)
    return None


def burn_rate(condition: StopCondition, requests: Sequence[Request], objectives: Objectives) -> float:
    """How fast these requests spend the budget; 0 without any."""
    if not requests:
        return 0.0
    objective = objectives[condition.journey]
    if condition.aspect == "latency":
        slow = sum(each.latency_s > objective.latency.threshold_s for each in requests)
        return slow / len(requests) / objective.latency.budget
    return sum(not each.good for each in requests) / len(requests) / objective.availability.budget

"""What an experiment declares for `faultline` beside what Chaos Toolkit knows: its extension of that name, validated."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from chaos.measure.edges import Edge
from chaos.measure.stops import StopCondition, unknown_objectives
from chaos.runs.errors import InvalidError
from observability.stack.objectives import Objectives

HOLDS = "holds"
DEVIATES = "deviates"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Arm(_Strict):
    """A policy that the experiment knows something about.

    `expected`: whether the hypothesis is expected to hold under it; an arm that is meant to deviate is judged only when
    it runs alone. `stop`: its own stop conditions, instead of the experiment's.
    """

    expected: Literal["holds", "deviates"] = "holds"
    stop: tuple[StopCondition, ...] = ()


class Declared(_Strict):
    """The extension. `quick`: what a quick run has instead in its configuration. `edge`: the one that is looked at."""

    name: Literal["faultline"]
    summary: Annotated[str, Field(min_length=1)]
    edge: str
    stop: Annotated[tuple[StopCondition, ...], Field(min_length=1)]
    quick: dict[str, float] = {}
    arms: dict[str, Arm] = {}

    @field_validator("edge")
    @classmethod
    def _is_an_edge(cls, text: str) -> str:
        return str(Edge.parse(text))

    def arm(self, policy: str) -> Arm:
        """What is declared for this policy."""
        return self.arms.get(policy, Arm())


def declared(document: dict[str, Any], objectives: Objectives) -> Declared:
    """The extension of an experiment. Raises InvalidError naming every wrong field."""
    extension = next((each for each in document.get("extensions") or () if each.get("name") == "faultline"), None)
    if extension is None:
        raise InvalidError("no extension named faultline: edge, summary and stop conditions are declared there")
    try:
        found = Declared.model_validate(extension)
    except ValidationError as exc:
        rows = (f"extensions.faultline.{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in exc.errors())
        raise InvalidError("; ".join(rows)) from exc
    conditions = [*found.stop, *(each for arm in found.arms.values() for each in arm.stop)]
    if unknown := unknown_objectives(conditions, objectives):
        raise InvalidError(f"no such objective: {', '.join(unknown)}; objectives: {', '.join(objectives)}")
    return found

"""Compares two records of an experiment: figure by figure under each policy, and what else was different. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from chaos.runs.errors import InvalidError
from chaos.runs.record import Record
from chaos.runs.statistics import Estimate
from chaos.runs.summary import Figure, evaluators, policies, rows

Change = Literal["better", "worse", "same", "unknown"]


@dataclass(frozen=True)
class Compared:
    """One figure under one policy, in the earlier and in the later record."""

    policy: str
    figure: Figure
    before: Estimate | None
    after: Estimate | None
    change: Change


@dataclass(frozen=True)
class Comparison:
    """`differences`: what the two runs do not share beside their figures, a line each."""

    figures: tuple[Compared, ...]
    differences: tuple[str, ...]
    verdicts: tuple[str, str]

    @property
    def worse(self) -> bool:
        """Whether the later run is worse: in a figure, or in its verdict."""
        return any(each.change == "worse" for each in self.figures) or (
            self.verdicts[0] == "passed" and self.verdicts[1] != "passed"
        )


def compare(before: Record, after: Record) -> Comparison:
    """Raises InvalidError for records of different experiments."""
    names = [each["experiment"]["name"] for each in (before, after)]
    if names[0] != names[1]:
        raise InvalidError(f"records of different experiments: {names[0]} and {names[1]}")
    verdicts = (str(before["verdict"]["outcome"]), str(after["verdict"]["outcome"]))
    return Comparison(tuple(_figures(before, after)), tuple(_differences(before, after)), verdicts)


def _figures(before: Record, after: Record) -> Iterator[Compared]:
    earlier = _by_policy(before)
    for (policy, _), (figure, value) in _by_policy(after).items():
        known = earlier.get((policy, figure.key))
        yield Compared(policy, figure, known[1] if known else None, value, _change(figure, known and known[1], value))


def _by_policy(record: Record) -> dict[tuple[str, str], tuple[Figure, Estimate | None]]:
    return {
        (policy, row.figure.key): (row.figure, value)
        for row in rows(record)
        for policy, value in zip(policies(record), row.values, strict=True)
    }


def _change(figure: Figure, before: Estimate | None, after: Estimate | None) -> Change:
    if before is None or after is None:
        return "unknown"
    if before.like(after):
        return "same"
    return "better" if (after.mean > before.mean) == (figure.better == "higher") else "worse"


def _differences(before: Record, after: Record) -> Iterator[str]:
    if before["experiment"].get("definition") != after["experiment"].get("definition"):
        yield "the experiment itself was changed"
    for name in ("commit", "machine", "options", "replicas"):
        earlier, later = before.get(name), after.get(name)
        if isinstance(earlier, dict) and isinstance(later, dict):
            yield from _fields(name, earlier, later)
        elif earlier != later:
            yield f"{name}: {earlier or 'unknown'}, then {later or 'unknown'}"
    if (earlier := evaluators(before)) != (later := evaluators(after)):
        yield f"alerts evaluated by: {', '.join(earlier) or 'nobody'}, then {', '.join(later) or 'nobody'}"


def _fields(name: str, before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    for key in dict.fromkeys([*before, *after]):
        if before.get(key) != after.get(key):
            yield f"{name}.{key}: {before.get(key)}, then {after.get(key)}"

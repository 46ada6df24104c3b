"""Puts the report together: everything inline, no scripts, nothing loaded from anywhere."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from chaos.measure.alerts import EVALUATORS
from chaos.report.drawing import draw
from chaos.report.panels import panels, scales
from chaos.report.waterfalls import Example, example
from chaos.runs import summary
from chaos.runs.errors import RecordError
from chaos.runs.record import Record

FILE: Final = "report.html"

_ENVIRONMENT: Final = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)

_HEADLINES: Final = {
    "passed": "Passed",
    "deviated": "Deviated",
    "inconclusive": "Inconclusive",
    "no_effect": "The fault touched nothing",
    "stopped": "Stopped",
    "interrupted": "Interrupted",
    "invalid": "Invalid",
}
MEANINGS: Final = {
    "passed": "The hypothesis held.",
    "deviated": "The hypothesis did not hold.",
    "inconclusive": "The evidence does not suffice to say whether the hypothesis held.",
    "no_effect": "Nothing was tried, so nothing was shown.",
    "stopped": "A stop condition was reached, which ends the arm and its fault early.",
    "interrupted": "The run was ended early.",
    "invalid": "The run was refused.",
}


@dataclass(frozen=True)
class Drawing:
    """A panel as the template needs it."""

    title: str
    unit: str
    legend: Sequence[tuple[str, str]]
    svg: Markup


@dataclass(frozen=True)
class Arm:
    """One run of one arm."""

    name: str
    run: int
    outcome: str
    reasons: Sequence[str]
    expected: str
    drawings: Sequence[Drawing]
    facts: Sequence[tuple[str, str]]
    notes: Sequence[tuple[str, str]]
    examples: Sequence[Example]


def write(record: Record, folder: Path, name: str = FILE) -> Path:
    """The report of this record, in this folder. Raises RecordError."""
    file, temporary = folder / name, folder / f".{name}.{os.getpid()}"
    try:
        temporary.write_text(render(record), "utf-8")
        temporary.replace(file)
    except OSError as exc:
        raise RecordError(f"{file}: {exc.strerror}") from exc
    return file


def render(record: Record) -> str:
    """One HTML file; all text is escaped."""
    arms = _shown_arms(record)
    common = scales([arm["found"].get("timeline") or [] for arm in arms])
    verdict = record["verdict"]
    return _ENVIRONMENT.get_template("report.html").render(
        record=record,
        began=_moment(record["began_at"]),
        lasted=_lasted(record),
        headline=_HEADLINES[verdict["outcome"]],
        meaning=MEANINGS[verdict["outcome"]],
        policies=[summary.policy_name(each) for each in summary.policies(record)],
        rows=summary.rows(record),
        claims=list(_claims(record)),
        arms=[_arm(each, common, record["experiment"]["edge"]) for each in arms],
        runs=record["options"]["runs"],
        command=_command(record),
    )


def _shown_arms(record: Record) -> list[dict[str, Any]]:
    """The first run of each policy: repeated runs are told by their figures."""
    return [next(each for each in record["arms"] if each["policy"] == policy) for policy in summary.policies(record)]


def _arm(arm: Mapping[str, Any], common: Any, edge: str) -> Arm:
    found = arm["found"]
    timeline = found.get("timeline") or []
    drawn = panels(timeline, found["phases"], edge, common, found.get("alerts")) if timeline else iter(())
    return Arm(
        name=summary.policy_name(arm["policy"]),
        run=arm["run"],
        outcome=arm["verdict"]["outcome"],
        reasons=arm["verdict"]["reasons"],
        expected=arm["expected"],
        drawings=[Drawing(each.title, each.unit, each.legend, Markup(draw(each))) for each in drawn],  # noqa: S704 -- leather escapes text
        facts=list(_facts(found)),
        notes=[(f"{at_s:.1f} s", said) for at_s, said in (found.get("phases") or {}).get("notes", ())],
        examples=[example(each) for each in found.get("examples") or ()],
    )


def _facts(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The evidence, and how far it can be relied on."""
    for effect in found.get("effects") or ():
        yield "Fault", effect["fault"]
        yield "Its effect", effect["said"]
    if alerts := found.get("alerts"):
        yield "Alerts", EVALUATORS.get(alerts["evaluator"], alerts["evaluator"])
    if seen := found.get("coverage"):
        share = f", {seen['seen'] / seen['looked_at']:.1%}" if seen["looked_at"] else ""
        yield "Traces", f"{seen['seen']} seen of {seen['looked_at']} requests looked for{share}"
    if invariants := found.get("invariants"):
        said = "all hold" if invariants["ok"] else f"{len(invariants['violations'])} violations"
        yield (
            "Invariants",
            f"{invariants['checked']} checked over {sum(invariants['counts']['orders'].values())} orders: {said}",
        )
    if load := found.get("load"):
        late = load["generator"]["lag_p99_s"]
        kept_up = load["generator"]["said"] or f"kept up: p99 {1000 * (late or 0):.0f} ms late"
        yield (
            "Load",
            f"{load['sent']} requests at {found['rps']:g} per second, seed {found['seed']}; the generator {_lower(kept_up)}",
        )


def _lower(said: str) -> str:
    return said.removeprefix("The generator ")


@dataclass(frozen=True)
class Claim:
    """A claim, and what was found under each policy: how many runs it held in, of how many, what was said first."""

    name: str
    rests_on: str
    held: Sequence[tuple[int, int, str]]


def _claims(record: Record) -> Iterator[Claim]:
    columns = summary.policies(record)
    claims = {
        claim["name"]: claim["rests_on"] for arm in record["arms"] for claim in arm["found"].get("assertions") or ()
    }
    for name, rests_on in claims.items():
        yield Claim(name, rests_on, [_held(record, policy, name) for policy in columns])


def _held(record: Record, policy: str, name: str) -> tuple[int, int, str]:
    found = [
        claim
        for arm in record["arms"]
        if arm["policy"] == policy
        for claim in arm["found"].get("assertions") or ()
        if claim["name"] == name
    ]
    broken = next((claim["said"] for claim in found if not claim["holds"]), "")
    return sum(claim["holds"] for claim in found), len(found), broken or (found[0]["said"] if found else "not reached")


def _command(record: Record) -> str:
    options = record["options"]
    parts = ["faultline chaos run", record["experiment"]["name"]]
    parts += [f"--policy {each}" for each in options["policies"]]
    parts += [f"--runs {options['runs']}"] if options["runs"] > 1 else []
    parts += [f"--seed {options['seed']}"] + (["--quick"] if options["quick"] else [])
    return " ".join(parts)


def _moment(text: str) -> str:
    return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M:%S} UTC"


def _lasted(record: Record) -> str:
    began, ended = (datetime.fromisoformat(record[name]) for name in ("began_at", "ended_at"))
    seconds = round((ended - began).total_seconds())
    return f"{seconds // 60} min {seconds % 60} s" if seconds >= 60 else f"{seconds} s"

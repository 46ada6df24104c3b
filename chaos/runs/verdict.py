"""The verdict of a run: one outcome, its reasons, and the exit code. Pure.

What is worst decides; from the worst:

| outcome      | code | when                                                                                     |
|--------------|------|------------------------------------------------------------------------------------------|
| interrupted  | 130  | somebody ended it; what it did was rolled back, or the reasons say what was not          |
| invalid      | 2    | it was refused, before anything was touched                                              |
| stopped      | 3    | a stop condition was reached                                                             |
| no_effect    | 4    | the fault touched nothing, so nothing was tried                                          |
| deviated     | 1    | a claim is broken, the steady state stayed broken, an activity failed, an invariant is broken |
| inconclusive | 5    | traces are missing, the load broke or was late, the system was not well before the fault  |
| passed       | 0    | none of these                                                                            |

A broken invariant counts whatever else happened: an arm with one has deviated, if it was not interrupted. Claims that
rest on traces say nothing where traces are missing, those that rest on the load nothing where its generator was late by
so much that the load was another one.

An arm that is meant to deviate is there to break claims and to be stopped. Whatever else is found counts in it as in any
other: a fault that stayed, an activity that failed, a fault that touched nothing, evidence that is missing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Final

LEAST_COVERAGE: Final = 0.95
LEAST_BEFORE: Final = 0.95
"""Share of good requests before the fault: with less, what came after cannot be told from what was there already."""


class Outcome(StrEnum):
    """From the best to the worst."""

    PASSED = "passed"
    INCONCLUSIVE = "inconclusive"
    DEVIATED = "deviated"
    NO_EFFECT = "no_effect"
    STOPPED = "stopped"
    INVALID = "invalid"
    INTERRUPTED = "interrupted"


EXIT_CODES: Final = MappingProxyType(
    {
        Outcome.PASSED: 0,
        Outcome.DEVIATED: 1,
        Outcome.INVALID: 2,
        Outcome.STOPPED: 3,
        Outcome.NO_EFFECT: 4,
        Outcome.INCONCLUSIVE: 5,
        Outcome.INTERRUPTED: 130,
    }
)


@dataclass(frozen=True)
class Verdict:
    """An outcome and why, a line each; no reason is needed to have passed.

    `excused` is the verdict of an arm that is meant to deviate: what is left without broken claims and stops; None where
    that is the same.
    """

    outcome: Outcome
    reasons: tuple[str, ...] = ()
    excused: "Verdict | None" = None

    @property
    def exit_code(self) -> int:
        return EXIT_CODES[self.outcome]


@dataclass(frozen=True)
class Claim:
    """What an experiment claimed, and what that rests on: `load`, `metrics`, `traces`, `stores`, `alerts`."""

    said: str
    holds: bool
    rests_on: str = "metrics"


@dataclass(frozen=True)
class Facts:
    """What became of one arm, once.

    `signal`, `stop`, `failure` are empty if there was none; `coverage` is the share of requests that can be seen as a
    trace, None if it is unknown; `begun`: the steady state was met, so that the method was begun; `steady_after` is
    None where the end of the method was not reached; `good_before`: the share of good requests before the fault, None
    without any; `broken_before`: what was wrong when the method was not begun. `effects`: what each fault touched, and how that is known.
    """

    begun: bool = True
    steady_after: bool | None = True
    signal: str = ""
    stop: str = ""
    failure: str = ""
    failed_activities: Sequence[str] = ()
    effects: Sequence[tuple[int, str]] = ()
    claims: Sequence[Claim] = ()
    violations: Sequence[str] | None = ()
    coverage: float | None = 1.0
    generator_said: str = ""
    troubles: Sequence[str] = ()
    good_before: float | None = None
    broken_before: str = ""


@dataclass(frozen=True)
class _Finding:
    """`excusable`: an arm that is meant to deviate may do so. `decides`: whatever is worse beside it."""

    outcome: Outcome
    said: str
    excusable: bool = False
    decides: bool = False


def judge(facts: Facts) -> Verdict:
    """The verdict of one arm."""
    if facts.signal:
        return Verdict(Outcome.INTERRUPTED, tuple(_about_the_interruption(facts)))
    found = list(_findings(facts))
    excused = _worst([each for each in found if not each.excusable])
    return replace(_worst(found), excused=excused if any(each.excusable for each in found) else None)


def _worst(found: Sequence[_Finding]) -> Verdict:
    if not found:
        return Verdict(Outcome.PASSED)
    ordered = sorted(found, key=lambda each: -_rank(each.outcome))
    decisive = next((each for each in ordered if each.decides), ordered[0])
    return Verdict(decisive.outcome, tuple(each.said for each in ordered))


def _about_the_interruption(facts: Facts) -> Iterator[str]:
    taken_away = "; the fault was taken away" if facts.effects and not facts.troubles else ""
    yield f"interrupted by {facts.signal}{taken_away}"
    yield from (each.said for each in [*_about_invariants(facts), *_about_troubles(facts)])


def _findings(facts: Facts) -> Iterator[_Finding]:
    yield from _about_invariants(facts)
    if facts.stop:
        yield _Finding(Outcome.STOPPED, f"stop condition {facts.stop}", excusable=True)
    if facts.failure:
        yield _Finding(Outcome.INCONCLUSIVE, facts.failure)
    elif not facts.begun and not facts.stop:
        how = f" ({facts.broken_before})" if facts.broken_before else ""
        said = f"the steady state was broken before the fault{how}, so nothing was tried"
        yield _Finding(Outcome.INCONCLUSIVE, said)
    yield from (_Finding(Outcome.DEVIATED, f"activity failed: {each}") for each in facts.failed_activities)
    yield from _about_the_fault(facts)
    yield from _about_claims(facts)
    yield from _about_troubles(facts)
    yield from _about_evidence(facts)


def _about_invariants(facts: Facts) -> Iterator[_Finding]:
    said = (f"invariant broken: {each}" for each in facts.violations or ())
    yield from (_Finding(Outcome.DEVIATED, each, decides=True) for each in said)


def _about_troubles(facts: Facts) -> Iterator[_Finding]:
    yield from (_Finding(Outcome.DEVIATED, f"not ended: {each}") for each in facts.troubles)


def _about_the_fault(facts: Facts) -> Iterator[_Finding]:
    went_on = (facts.begun or facts.stop) and not facts.failure
    if went_on and not facts.effects:
        yield _Finding(Outcome.NO_EFFECT, "no fault was begun")
    for touched, said in facts.effects:
        if not touched:
            yield _Finding(Outcome.NO_EFFECT, f"the fault touched nothing: {said}")


def _about_claims(facts: Facts) -> Iterator[_Finding]:
    """A steady state that did not return counts as a claim: it is the hypothesis, and counts broken claims as well.

    It rests on the load: that customers are served is part of it.
    """
    broken = [each for each in facts.claims if not each.holds]
    if facts.steady_after is False and not broken:
        broken = [Claim("the steady state did not return after the fault", False, "load")]
    for each in broken:
        if _can_be_trusted(each, facts):
            yield _Finding(Outcome.DEVIATED, each.said, excusable=True)
        else:
            yield _Finding(Outcome.INCONCLUSIVE, f"{each.said} (not to be relied on)")


def _about_evidence(facts: Facts) -> Iterator[_Finding]:
    if not facts.begun:
        return
    if facts.violations is None:
        yield _Finding(Outcome.INCONCLUSIVE, "the invariants could not be checked")
    if not _has_traces(facts):
        seen = "unknown" if facts.coverage is None else f"{facts.coverage:.1%}"
        said = f"traces seen per request sent: {seen}, at least {LEAST_COVERAGE:.0%} are needed"
        yield _Finding(Outcome.INCONCLUSIVE, said)
    if facts.generator_said:
        yield _Finding(Outcome.INCONCLUSIVE, facts.generator_said)
    if facts.good_before is not None and facts.good_before < LEAST_BEFORE:
        said = f"only {facts.good_before:.1%} of the requests were good before the fault already"
        yield _Finding(Outcome.INCONCLUSIVE, said)


def _can_be_trusted(claim: Claim, facts: Facts) -> bool:
    match claim.rests_on:
        case "traces":
            return _has_traces(facts)
        case "load":
            return not facts.generator_said
        case _:
            return True


def _has_traces(facts: Facts) -> bool:
    return facts.coverage is not None and facts.coverage >= LEAST_COVERAGE


@dataclass(frozen=True)
class Judged:
    """An arm's verdict in one of its runs, from 1; `meant_to_deviate`: it is there to be compared with."""

    policy: str
    verdict: Verdict
    meant_to_deviate: bool = False
    run: int = 1


def overall(arms: Sequence[Judged]) -> Verdict:
    """The verdict of a run with all its arms: the worst of those that are judged.

    An arm that is meant to deviate may do so, and may reach its stop condition, beside another one that is to hold.
    Reasons say of which arm and which run they are, where there are several.
    """
    alone = all(each.meant_to_deviate for each in arms)
    judged = [(each, each.verdict if alone else _beside_others(each)) for each in arms]
    worst = max((verdict.outcome for _, verdict in judged), key=_rank, default=Outcome.INVALID)
    reasons = [f"{_whose(each, arms)}{said}" for each, verdict in judged for said in verdict.reasons]
    return Verdict(worst, tuple(dict.fromkeys(reasons)))


def _whose(arm: Judged, arms: Sequence[Judged]) -> str:
    """`off, run 2: `, of that only what tells this one from others."""
    policy = arm.policy if len({each.policy for each in arms}) > 1 else ""
    run = f"run {arm.run}" if len({each.run for each in arms}) > 1 else ""
    told = ", ".join(filter(None, (policy, run)))
    return f"{told}: " if told else ""


def _beside_others(each: Judged) -> Verdict:
    return each.verdict.excused or each.verdict if each.meant_to_deviate else each.verdict


def _rank(outcome: Outcome) -> int:
    return list(Outcome).index(outcome)

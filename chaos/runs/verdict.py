"""The verdict of a run: one outcome, its reasons, and the exit code. Pure.

What is worst decides; from the worst:

| outcome      | code | when                                                                                     |
|--------------|------|------------------------------------------------------------------------------------------|
| interrupted  | 130  | somebody ended it; what it did was rolled back                                           |
| invalid      | 2    | it was refused, before anything was touched                                              |
| stopped      | 3    | a stop condition was reached                                                             |
| no_effect    | 4    | the fault touched nothing, so nothing was tried                                          |
| deviated     | 1    | a claim is broken, the steady state stayed broken, an activity failed, an invariant is broken |
| inconclusive | 5    | traces are missing, the load broke or was late, the system was not well before the fault  |
| passed       | 0    | none of these                                                                            |

A broken invariant counts whatever else happened: an arm with one has deviated, if it was not interrupted. Claims that
rest on traces say nothing where traces are missing, those that rest on the load nothing where its generator was late.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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
    """An outcome and why, a line each; no reason is needed to have passed."""

    outcome: Outcome
    reasons: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        return EXIT_CODES[self.outcome]


@dataclass(frozen=True)
class Claim:
    """What an experiment claimed, and what that rests on: `load`, `metrics`, `traces`, `stores`."""

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


def judge(facts: Facts) -> Verdict:
    """The verdict of one arm."""
    if facts.signal:
        return Verdict(Outcome.INTERRUPTED, (f"interrupted by {facts.signal}; the fault was taken away",))
    found = list(_findings(facts))
    if not found:
        return Verdict(Outcome.PASSED)
    outcome = max((outcome for outcome, _ in found), key=_rank)
    if facts.violations:
        outcome = Outcome.DEVIATED
    return Verdict(outcome, tuple(said for _, said in sorted(found, key=lambda each: -_rank(each[0]))))


def _findings(facts: Facts) -> Iterator[tuple[Outcome, str]]:
    yield from ((Outcome.DEVIATED, f"invariant broken: {each}") for each in facts.violations or ())
    if facts.stop:
        yield Outcome.STOPPED, f"stop condition {facts.stop}"
    if facts.failure:
        yield Outcome.INCONCLUSIVE, facts.failure
    elif not facts.begun and not facts.stop:
        said = f" ({facts.broken_before})" if facts.broken_before else ""
        yield Outcome.INCONCLUSIVE, f"the steady state was broken before the fault{said}, so nothing was tried"
    yield from ((Outcome.DEVIATED, f"activity failed: {each}") for each in facts.failed_activities)
    yield from _about_the_fault(facts)
    yield from _about_claims(facts)
    yield from ((Outcome.DEVIATED, f"not ended: {each}") for each in facts.troubles)
    yield from _about_evidence(facts)


def _about_the_fault(facts: Facts) -> Iterator[tuple[Outcome, str]]:
    went_on = facts.begun and not facts.failure
    if went_on and not facts.effects and not facts.stop:
        yield Outcome.NO_EFFECT, "no fault was begun"
    yield from (
        (Outcome.NO_EFFECT, f"the fault touched nothing: {said}") for touched, said in facts.effects if not touched
    )


def _about_claims(facts: Facts) -> Iterator[tuple[Outcome, str]]:
    broken = [each for each in facts.claims if not each.holds]
    for each in broken:
        trusted = _can_be_trusted(each, facts)
        yield (Outcome.DEVIATED, each.said) if trusted else (Outcome.INCONCLUSIVE, f"{each.said} (not to be relied on)")
    if facts.steady_after is False and not broken:
        yield Outcome.DEVIATED, "the steady state did not return after the fault"


def _about_evidence(facts: Facts) -> Iterator[tuple[Outcome, str]]:
    if not facts.begun:
        return
    if facts.violations is None:
        yield Outcome.INCONCLUSIVE, "the invariants could not be checked"
    if not _has_traces(facts):
        seen = "unknown" if facts.coverage is None else f"{facts.coverage:.1%}"
        yield Outcome.INCONCLUSIVE, f"traces seen per request sent: {seen}, at least {LEAST_COVERAGE:.0%} are needed"
    if facts.generator_said:
        yield Outcome.INCONCLUSIVE, facts.generator_said
    if facts.good_before is not None and facts.good_before < LEAST_BEFORE:
        yield Outcome.INCONCLUSIVE, f"only {facts.good_before:.1%} of the requests were good before the fault already"


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
    """An arm's verdict; `meant_to_deviate`: it is there to be compared with."""

    policy: str
    verdict: Verdict
    meant_to_deviate: bool = False


def overall(arms: Sequence[Judged]) -> Verdict:
    """The verdict of a run with all its arms: the worst of those that are judged.

    An arm that is meant to deviate may do so, and may reach its stop condition, beside another one that is to hold.
    """
    alone = all(each.meant_to_deviate for each in arms)
    judged = [each for each in arms if alone or not _excused(each)]
    worst = max((each.verdict.outcome for each in judged), key=_rank, default=Outcome.INVALID)
    several = len({each.policy for each in arms}) > 1
    reasons = [f"{each.policy}: {said}" if several else said for each in judged for said in each.verdict.reasons]
    return Verdict(worst, tuple(dict.fromkeys(reasons)))


def _excused(each: Judged) -> bool:
    broken = any(said.startswith("invariant broken") for said in each.verdict.reasons)
    return each.meant_to_deviate and not broken and each.verdict.outcome in (Outcome.DEVIATED, Outcome.STOPPED)


def _rank(outcome: Outcome) -> int:
    return list(Outcome).index(outcome)

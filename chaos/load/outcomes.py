"""What became of a request: a class, a status, a slug; never more than that, so that outcomes can be counted."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class OutcomeClass(StrEnum):
    """The first question about an answer."""

    SUCCESS = "success"  # 2xx
    DEGRADED = "degraded"  # 2xx too, but a fallback's: kept for later, or as it was last seen
    REFUSED = "refused"  # 4xx: the system works, and says no
    FAILED = "failed"  # every other status
    UNANSWERED = "unanswered"  # no answer, or not a whole one
    NOT_SENT = "not_sent"  # the generator's own limit; nothing is known of the system


@dataclass(frozen=True, order=True, slots=True)
class Outcome:
    """`status` 0: there was none. `slug`: a problem's, or for `unanswered` and `not_sent` the reason; else empty."""

    outcome_class: OutcomeClass
    status: int = 0
    slug: str = ""

    def __str__(self) -> str:
        """`201`, `402 payment-declined`, `unanswered timeout`."""
        first = str(self.status) if self.status else self.outcome_class.replace("_", " ")
        return f"{first} {self.slug}".rstrip()


NOT_SENT: Final = Outcome(OutcomeClass.NOT_SENT, slug="too-many-in-flight")

_KEPT: Final = 202
_PROBLEM_TYPE: Final = re.compile(r"/problems/([a-z0-9-]{1,64})")


def of_answer(status: int, problem_type: object, *, stale: bool = False) -> Outcome:
    """The outcome of an answer with this status.

    `problem_type` is the body's `type`, where it is a problem. `stale`: the answer says that it is what was last seen.
    """
    return Outcome(_class_of(status, stale=stale), status, _slug_of(problem_type))


def unanswered(reason: str) -> Outcome:
    """The outcome of a request that got no whole answer."""
    return Outcome(OutcomeClass.UNANSWERED, slug=reason)


def _class_of(status: int, *, stale: bool) -> OutcomeClass:
    if status == _KEPT or (stale and status // 100 == 2):
        return OutcomeClass.DEGRADED
    return {2: OutcomeClass.SUCCESS, 4: OutcomeClass.REFUSED}.get(status // 100, OutcomeClass.FAILED)


def _slug_of(problem_type: object) -> str:
    found = _PROBLEM_TYPE.fullmatch(problem_type) if isinstance(problem_type, str) else None
    return found.group(1) if found else ""

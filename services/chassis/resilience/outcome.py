"""The outcome table: what each result of an attempt means to every policy, objective and span.

| result                                             | outcome      |
|----------------------------------------------------|--------------|
| an answer; any 4xx, a declined payment             | SUCCESS      |
| what the caller's own work made of an answer       | SUCCESS      |
| 429, load shed by the peer                         | BACKPRESSURE |
| refused or broken connection, 5xx, attempt timeout | FAILURE      |
| a deadline spent in flight                         | FAILURE      |
| the caller went away, a hedge that lost            | CANCELLED    |
| our own rejection, before anything was sent        | REJECTED     |
| a fallback's answer, of a logical call             | DEGRADED     |

`CANCELLED` and `REJECTED` say nothing about the peer and are never recorded against it. A cancellation
at the deadline is the deadline's: the limit around the whole request, or the caller's own, may end the
work a moment before the limit on the call does, and it was the peer that did not answer in time. A circuit breaker counts it only
where the peer had a fair time (`guards`): how long a deadline is, the caller's customer says.
"""

import asyncio
from collections.abc import Callable
from enum import StrEnum
from typing import Final

from services.chassis.errors import (
    CallError,
    CallRejectedError,
    Catalogue,
    FaultlineError,
    PeerFailedError,
    ProblemError,
)
from services.chassis.resilience.deadline import cancelled_by_deadline

_BACKPRESSURE = {429}
_SHED = "overloaded"


LOST_HEDGE: Final = "a hedge was sooner"
"""The message of the cancellation that ends an attempt when another of the same call has answered."""


class Outcome(StrEnum):
    """What one attempt says about the peer; of a logical call also that a fallback answered it."""

    SUCCESS = "success"
    FAILURE = "failure"
    BACKPRESSURE = "backpressure"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    DEGRADED = "degraded"


RETRYABLE: Final = frozenset({Outcome.FAILURE, Outcome.BACKPRESSURE})
"""What another attempt may make good."""

Classify = Callable[[BaseException], Outcome]
"""The outcome table, over a catalogue of errors."""


def of_error(error: BaseException, catalogue: Catalogue) -> Outcome:
    """The outcome of an attempt that raised `error`; what is unknown counts as the peer's failure."""
    if isinstance(error, ProblemError):
        return of_problem(error, catalogue)
    if isinstance(error, PeerFailedError):
        return of_problem(error.problem, catalogue)
    if isinstance(error, CallRejectedError):
        return Outcome.REJECTED
    if isinstance(error, FaultlineError) and not isinstance(error, CallError):
        return Outcome.SUCCESS  # raised within a transaction, say: the database did nothing wrong
    if isinstance(error, asyncio.CancelledError) and (LOST_HEDGE in error.args or not cancelled_by_deadline()):
        return Outcome.CANCELLED
    return Outcome.FAILURE


def of_problem(problem: ProblemError, catalogue: Catalogue) -> Outcome:
    """The outcome of an attempt that the peer answered with `problem`."""
    entry = catalogue.get(problem.slug)
    if problem.slug == _SHED or (entry and entry.http_status in _BACKPRESSURE):
        return Outcome.BACKPRESSURE
    return Outcome.SUCCESS if entry and entry.http_status < 500 else Outcome.FAILURE

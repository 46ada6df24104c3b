"""What the policies tell: typed events, to whoever subscribes.

The one that every call causes is a named tuple, which takes a third of the time of the others to make.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class AttemptEnded(NamedTuple):
    """One attempt is over. `number` counts from 1; `error` is None when the peer answered well."""

    operation: str
    number: int
    error: BaseException | None


@dataclass(frozen=True)
class RetryScheduled:
    """Attempt `number` will be made after `delay_s` seconds."""

    operation: str
    number: int
    delay_s: float


class Stopped(StrEnum):
    """Why a call that failed is not made again, though its outcome would allow it."""

    ATTEMPTS = "attempts"  # as many were made as may be
    BUDGET = "budget"  # the peer's budget has none left
    DEADLINE = "deadline"  # it would come too late
    PUSHBACK = "pushback"  # the peer asks not to
    RETRIED = "retried"  # whoever is closer to the failure has done it already
    UNSAFE = "unsafe"  # it may have taken effect, and may not do so twice


@dataclass(frozen=True)
class RetryStopped:
    """The call has failed with attempt `number`, and no further one is made."""

    operation: str
    number: int
    reason: Stopped


@dataclass(frozen=True)
class BudgetAsked:
    """The retry budget was asked for one attempt more; `balance` is what it has left."""

    operation: str
    granted: bool
    balance: float


class HedgeResult(StrEnum):
    """What became of a hedge."""

    WON = "won"  # it answered first
    LOST = "lost"  # the first attempt did, after all
    FAILED = "failed"  # neither answered well


@dataclass(frozen=True)
class HedgeSent:
    """A second attempt is made beside the first, which has taken `delay_s` seconds already."""

    operation: str
    delay_s: float


@dataclass(frozen=True)
class HedgeEnded:
    """A call that was hedged is over."""

    operation: str
    result: HedgeResult


class BreakerState(StrEnum):
    """What a circuit breaker does with calls.

    | state       | calls                   | results                          | left when                               |
    |-------------|-------------------------|----------------------------------|-----------------------------------------|
    | closed      | all pass                | into the window                  | too many failed or were slow → open     |
    | open        | none passes             | none counts                      | a call comes after the wait → half-open |
    | half-open   | as many as permitted    | into a window of this state only | judged, or took too long                |
    | forced open | none passes             | none counts                      | reset                                   |
    | disabled    | all pass                | none counts                      | reset                                   |
    """

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"
    FORCED_OPEN = "forced_open"
    DISABLED = "disabled"


@dataclass(frozen=True)
class BreakerTransition:
    """A circuit breaker went from one state to another."""

    old: BreakerState
    new: BreakerState


@dataclass(frozen=True)
class BreakerRejected:
    """A circuit breaker let a call not pass, being in that state."""

    state: BreakerState


BreakerEvent = BreakerTransition | BreakerRejected


@dataclass(frozen=True)
class BulkheadQueued:
    """A call passed a bulkhead after it had waited for its turn."""

    waited_s: float


@dataclass(frozen=True)
class BulkheadRejected:
    """A bulkhead let a call not pass: as many as may were in flight and in the queue, or its wait was over."""

    in_flight: int
    queued: int
    waited_s: float


BulkheadEvent = BulkheadQueued | BulkheadRejected


@dataclass(frozen=True)
class FellBack:
    """A call has ended with `error`, and its fallback was asked; `served`: it had something to give instead."""

    operation: str
    error: BaseException
    served: bool


@dataclass(frozen=True)
class LoadShed:
    """A server refused a request, with so many being served and that limit on them."""

    in_flight: int
    limit: int


@dataclass(frozen=True)
class LimitMoved:
    """A server's adaptive limit has a new value."""

    limit: int


LoadEvent = LoadShed | LimitMoved

Event = (
    AttemptEnded
    | RetryScheduled
    | RetryStopped
    | BudgetAsked
    | HedgeSent
    | HedgeEnded
    | BreakerEvent
    | BulkheadEvent
    | FellBack
)
Listener = Callable[[Event], None]

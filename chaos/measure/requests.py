"""The requests of the load and what became of them, as plain facts; and figures over a span of time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Final, Literal

from chaos.load.generator import Result
from chaos.load.kinds import Kind
from chaos.load.outcomes import OutcomeClass

Journey = Literal["browse", "checkout"]
JOURNEYS: Final[tuple[Journey, ...]] = ("browse", "checkout")

# The client is not to blame for these: it asked for nothing wrong, and did not get it.
_NOT_GOOD: Final = frozenset({408, 425, 429})
_ACCEPTED: Final = 202  # a promise to do it later, which may not feign success


@dataclass(frozen=True, slots=True)
class Request:
    """One request. Times in seconds; `at_s` since the run began, when it should have left; latency counts from there.

    `good`: it was served, or refused for what it asked for itself. `trace_id` and `order_id` empty: none was named.
    """

    at_s: float
    latency_s: float
    journey: Journey
    kind: str
    outcome: str
    status: int
    slug: str
    good: bool
    trace_id: str
    order_id: str
    idempotency_key: str | None
    user: int

    @property
    def done_s(self) -> float:
        return self.at_s + self.latency_s


def of_result(result: Result) -> Request:
    """What the load generator told of one request."""
    outcome, arrival, answer = result.answer.outcome, result.arrival, result.answer
    return Request(
        at_s=arrival.at_s,
        latency_s=result.latency_s,
        journey="checkout" if arrival.kind.startswith("checkout") else "browse",
        kind=arrival.kind,
        outcome=str(outcome),
        status=outcome.status,
        slug=outcome.slug,
        good=is_good(outcome.outcome_class, outcome.status),
        trace_id=answer.trace_id or "",
        order_id=answer.order_id or "",
        idempotency_key=arrival.idempotency_key,
        user=arrival.user,
    )


def is_good(outcome_class: OutcomeClass, status: int) -> bool:
    """Whether an answer counts as good for an objective: 4xx and a declined payment do, a promise and a failure do not."""
    served = outcome_class is OutcomeClass.SUCCESS and status != _ACCEPTED
    return served or (outcome_class is OutcomeClass.REFUSED and status not in _NOT_GOOD)


def between(requests: Iterable[Request], start_s: float, end_s: float) -> list[Request]:
    """Those that were due from `start_s` up to `end_s`."""
    return [each for each in requests if start_s <= each.at_s < end_s]


def of_journey(requests: Iterable[Request], journey: str) -> list[Request]:
    """Those of `browse` or `checkout`; of `all`, each."""
    return [each for each in requests if journey in ("all", each.journey)]


def availability(requests: Sequence[Request]) -> float | None:
    """The share of good ones; None without any."""
    return sum(each.good for each in requests) / len(requests) if requests else None


def quantile(requests: Sequence[Request], share: float) -> float | None:
    """The latency in seconds that `share` (0..1] of them did not exceed, failed ones included; None without any."""
    if not requests:
        return None
    ordered = sorted(each.latency_s for each in requests)
    return ordered[max(1, ceil(share * len(ordered))) - 1]


def would_succeed(request: Request) -> bool:
    """Whether it is a checkout that a healthy system confirms."""
    return request.kind == Kind.CHECKOUT_OK

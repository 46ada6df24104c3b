"""Peers that fail as they are told to."""

from collections.abc import Callable, Iterable
from functools import partial

from services.chassis.edge import Edge
from services.chassis.errors import FaultlineError, PeerUnavailableError
from services.chassis.resilience.attempt import Attempt, Call
from services.chassis.resilience.outcome import of_error
from services.contracts.errors import CATALOGUE

EDGE = Edge("orders", "payments", "grpc")
CLASSIFY = partial(of_error, catalogue=CATALOGUE)


def refused() -> PeerUnavailableError:
    return PeerUnavailableError(EDGE, "Authorize", "refused")


class Peer:
    """Answers the number of the attempt, or raises: `errors` one after the other, then none, or `always` the same."""

    def __init__(
        self, errors: Iterable[FaultlineError] = (), always: Callable[[], FaultlineError] | None = None
    ) -> None:
        self.attempts: list[int] = []
        self._errors, self._always = iter(errors), always

    async def __call__(self, attempt: Attempt) -> int:
        self.attempts.append(attempt.number)
        error = self._always() if self._always else next(self._errors, None)
        if error:
            raise error
        return attempt.number

    def call(self, *, idempotent: bool = True) -> Call:
        return Call("Authorize", self, idempotent)

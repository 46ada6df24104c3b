"""A logical call and its attempts, as the policies hand them from layer to layer.

Named tuples, as both are made for each call: a frozen dataclass takes three times as long.
"""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from services.chassis.edge import Edge
from services.chassis.errors import AttemptTimeoutError, CallError
from services.chassis.resilience.deadline import Deadline, cancelled_by_deadline


class Attempt(NamedTuple):
    """One attempt of a logical call: its number, from 1, and when it will be given up.

    `gives_up_with` tells whose limit that is. It is settled before the attempt begins: afterwards, with
    several clocks running out at the same moment (ours, the peer's, gRPC's), nobody could tell.
    """

    number: int
    limit: Deadline
    gives_up_with: type[CallError] = AttemptTimeoutError

    @property
    def timeout(self) -> float | None:
        """Seconds left to it; None where nothing limits it."""
        return None if self.limit.never() else self.limit.remaining()

    def cut_off(self) -> bool:
        """Whether a cancellation that arrives now is because of a limit, this attempt's or the whole work's."""
        return self.limit.spent() or cancelled_by_deadline()

    def spent(self, edge: Edge, operation: str, reason: str) -> CallError:
        """The error of an attempt whose limit has passed, by whichever clock."""
        return self.gives_up_with(edge, operation, reason, retry_after=1.0)


class Call(NamedTuple):
    """One logical call. `idempotent`: it may be made again, though it may have taken effect already."""

    operation: str
    attempt: Callable[[Attempt], Awaitable[Any]]
    idempotent: bool


Try = Callable[[Call, int], Awaitable[Any]]
"""Makes the attempt of that number; each policy is one around another."""

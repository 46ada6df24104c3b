"""What the policies tell: typed events, to whoever subscribes."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class AttemptEnded:
    """One attempt is over. `number` counts from 1; `error` is None when the peer answered well."""

    operation: str
    number: int
    error: BaseException | None


Event = AttemptEnded
Listener = Callable[[Event], None]

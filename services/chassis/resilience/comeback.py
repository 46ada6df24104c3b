"""Whether a peer that a circuit breaker kept calls from may be asked again, for whoever has left work for later."""

from collections.abc import Callable

from services.chassis.resilience.circuit_breaker import BreakerSnapshot
from services.chassis.resilience.events import BreakerState

_AWAY = frozenset({BreakerState.OPEN, BreakerState.HALF_OPEN, BreakerState.FORCED_OPEN})


class Comeback:
    """Looks at the breaker when it is called, which is to be from time to time; `breaker` says None where none is in force.

    A breaker that is left alone stays open though its wait is over, so that somebody has to try.
    """

    def __init__(self, breaker: Callable[[], BreakerSnapshot | None]) -> None:
        self._breaker, self._was_away = breaker, False

    def __call__(self) -> bool:
        """Whether calls may try the peer, or all pass again that did not the last time."""
        now = self._breaker()
        was_away, self._was_away = self._was_away, now is not None and now.state in _AWAY
        return _may_be_tried(now) if now and self._was_away else was_away


def _may_be_tried(breaker: BreakerSnapshot) -> bool:
    return breaker.state is BreakerState.HALF_OPEN or breaker.retry_after == 0

"""Load shedding: a server that has all it can do says so at once, instead of letting everybody wait until it is too late.

Requests up to an adaptive limit are served, a bounded number waits for a short while, and the rest is refused before any
work was done for it. See the SRE book, "Handling Overload" and "Addressing Cascading Failures".
"""

from collections.abc import Callable
from dataclasses import dataclass

from services.chassis.resilience.adaptive_limit import AdaptiveLimit, AdaptiveLimitConfig
from services.chassis.resilience.bulkhead import Bulkhead, BulkheadConfig, BulkheadFull
from services.chassis.resilience.clock import Clock
from services.chassis.resilience.events import BulkheadEvent, BulkheadRejected, LimitMoved, LoadEvent, LoadShed


@dataclass(frozen=True)
class LoadSheddingConfig:
    """`limit` on requests that are served at once; `max_queue` more wait up to `max_wait_s`. 0: nobody waits.

    `retry_after_s`: seconds after which whoever was refused may come again.
    """

    limit: AdaptiveLimitConfig
    max_queue: int
    max_wait_s: float
    retry_after_s: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.retry_after_s <= 60:
            raise ValueError(f"retry_after_s must be above 0 s to 60 s, not {self.retry_after_s}")


class Overloaded(Exception):  # noqa: N818  # the pattern's own name for it; whoever serves translates it
    """There is no room for the request. `retry_after`: seconds until it may come again."""

    def __init__(self, in_flight: int, queued: int, retry_after: float) -> None:
        super().__init__(f"{in_flight} requests are being served and {queued} wait")
        self.in_flight, self.queued, self.retry_after = in_flight, queued, retry_after


@dataclass(frozen=True)
class Admission:
    """One request that is being served: when it began, and how many there were with it."""

    began: float
    in_flight: int


class LoadShedder:
    """Of one server, for the requests of one event loop. Each `admit` that returned needs one `leave`."""

    def __init__(self, config: LoadSheddingConfig, clock: Clock, listener: Callable[[LoadEvent], None]) -> None:
        self.config, self._clock, self._tell = config, clock, listener
        self._limit = AdaptiveLimit(config.limit, clock)
        room = BulkheadConfig(config.limit.initial, config.max_queue, config.max_wait_s)
        self._bulkhead = Bulkhead(room, clock, self._heard)

    @property
    def limit(self) -> int:
        return self._limit.value

    @property
    def in_flight(self) -> int:
        return self._bulkhead.in_flight

    async def admit(self) -> Admission:
        """Room for one request, after waiting for it if need be. Raises `Overloaded`."""
        try:
            await self._bulkhead.acquire()
        except BulkheadFull as exc:
            raise Overloaded(exc.in_flight, exc.queued, self.config.retry_after_s) from exc
        return Admission(self._clock(), self._bulkhead.in_flight)

    def leave(self, admission: Admission, *, telling: bool = True) -> None:
        """The request is over. `telling`: how long it took says something about this server."""
        before = self._limit.value
        if telling:
            self._limit.sample(self._clock() - admission.began, admission.in_flight)
        self._bulkhead.release()
        if self._limit.value != before:
            self._bulkhead.resize(self._limit.value)
            self._tell(LimitMoved(self._limit.value))

    def _heard(self, event: BulkheadEvent) -> None:
        if isinstance(event, BulkheadRejected):
            self._tell(LoadShed(event.in_flight, self._limit.value))

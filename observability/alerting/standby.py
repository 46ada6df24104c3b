"""Evaluates in Prometheus' place while that does not answer, or takes nothing in, as with a full disk.

    resting ──unwell for ROUNDS looks──► acting ──well again──► ending ──nothing is owed──► resting
                                            ▲                     │
                                            └─────────unwell──────┘

It begins with empty windows, as an evaluator does that has just started. Once Prometheus is well again it tells of
nothing new, and rests as soon as it has told the end of all that it told to fire: nobody else would.
"""

import logging
from collections.abc import Callable
from typing import Final, Protocol

import aiohttp

from observability import semconv
from observability.alerting.evaluator import Evaluator
from observability.alerting.prometheus import PrometheusError
from observability.metrics import Instruments

log = logging.getLogger(__name__)

ROUNDS: Final = 3
"""So often in a row it must be unwell: one answer that is late is no reason to evaluate twice."""


class Prometheus(Protocol):
    """Somebody else who evaluates."""

    async def check(self, session: aiohttp.ClientSession) -> None:
        """Raises PrometheusError where he does not."""


class Standby:
    """`make` gives an evaluator that knows nothing yet; `on_rest` is called as it gives back to Prometheus."""

    def __init__(
        self,
        prometheus: Prometheus,
        make: Callable[[], Evaluator],
        metrics: Instruments,
        on_rest: Callable[[], None] = lambda: None,
    ) -> None:
        self._prometheus, self._make, self._metrics, self._on_rest = prometheus, make, metrics, on_rest
        self._evaluator: Evaluator | None = None
        self._unwell = 0
        self.problem = ""
        """Of Prometheus, at the last look; empty while it is well."""
        for result in semconv.SCRAPE_RESULTS:
            metrics.zero(semconv.ALERTS_PROMETHEUS_CHECKS, result)

    @property
    def acting(self) -> Evaluator | None:
        """The evaluator in Prometheus' place; None where that evaluates."""
        return self._evaluator if self.problem else None

    async def choose(self, session: aiohttp.ClientSession) -> Evaluator | None:
        """Looks at Prometheus; who is to observe this round, None for nobody."""
        await self._look(session)
        if self._evaluator is None and self._unwell >= ROUNDS:
            self._evaluator = self._make()
            log.warning("evaluating in Prometheus' place", extra={"problem": self.problem})
        if self._evaluator is not None:
            self._evaluator.tells_new = bool(self.problem)
            if not self.problem and not self._evaluator.owes:
                self._rest()
        return self._evaluator

    def _rest(self) -> None:
        self._evaluator = None
        self._on_rest()
        log.info("Prometheus evaluates again")

    async def _look(self, session: aiohttp.ClientSession) -> None:
        try:
            await self._prometheus.check(session)
        except PrometheusError as exc:
            self._unwell, self.problem = self._unwell + 1, str(exc)
        else:
            self._unwell, self.problem = 0, ""
        result = semconv.SCRAPE_FAILED if self.problem else semconv.SCRAPE_ANSWERED
        self._metrics.add(semconv.ALERTS_PROMETHEUS_CHECKS, result)

"""Admission: which requests a server takes in, told to telemetry, the same over HTTP and gRPC."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from opentelemetry import trace

from observability import semconv
from observability.telemetry import Telemetry
from services.chassis.errors import ProblemError
from services.chassis.resilience.clock import MONOTONIC, Clock
from services.chassis.resilience.deadline import cancelled_by_deadline
from services.chassis.resilience.events import LimitMoved, LoadEvent, LoadShed
from services.chassis.resilience.load_shedding import LoadShedder, LoadSheddingConfig, Overloaded


class AdmissionControl:
    """Of one server. Refuses what is too much with the problem `overloaded`."""

    def __init__(self, config: LoadSheddingConfig, telemetry: Telemetry, clock: Clock = MONOTONIC) -> None:
        self._metrics = telemetry.metrics
        self._shedder = LoadShedder(config, clock, self._heard)
        self._metrics.zero(semconv.SERVER_SHED)
        self._metrics.set(semconv.SERVER_LIMITS, self._shedder.limit)
        self._metrics.follow(semconv.SERVER_SERVED, lambda: self._shedder.in_flight)

    @asynccontextmanager
    async def admitted(self) -> AsyncIterator[None]:
        """Serves one request in the block. Raises ProblemError before the block begins."""
        try:
            admission = await self._shedder.admit()
        except Overloaded as exc:
            detail = "As many requests as possible are being served."
            raise ProblemError("overloaded", detail, retry_after=exc.retry_after) from exc
        telling = True
        try:
            yield
        except asyncio.CancelledError:
            telling = cancelled_by_deadline()  # a client that went away says nothing about us
            raise
        finally:
            self._shedder.leave(admission, telling=telling)

    def _heard(self, event: LoadEvent) -> None:
        match event:
            case LoadShed():
                attributes = {semconv.SERVER_IN_FLIGHT: event.in_flight, semconv.SERVER_LIMIT: event.limit}
                trace.get_current_span().add_event(semconv.EVENT_SERVER_SHED, attributes)
                self._metrics.add(semconv.SERVER_SHED)
            case LimitMoved():
                self._metrics.set(semconv.SERVER_LIMITS, event.limit)

"""What is told of a listener's connections: how many are open, and those that ended without a word."""

from observability import semconv
from observability.telemetry import Telemetry


class ConnectionMetrics:
    """Of one listener; tells nothing without `telemetry`."""

    def __init__(self, telemetry: Telemetry | None) -> None:
        self._metrics = telemetry.metrics if telemetry else None
        if self._metrics:
            self.open(0)
            for why in semconv.CONNECTION_CUTS:
                self._metrics.zero(semconv.HTTP_SERVER_CONNECTIONS_CUT, why)

    def open(self, count: int) -> None:
        """So many are open now."""
        if self._metrics:
            self._metrics.set(semconv.HTTP_SERVER_CONNECTIONS, count)

    def cut(self, why: str) -> None:
        """One was ended without an answer; `why` is one of `semconv.CONNECTION_CUTS`."""
        if self._metrics:
            self._metrics.add(semconv.HTTP_SERVER_CONNECTIONS_CUT, why)

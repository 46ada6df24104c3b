"""The expiry: a loop that gives back what was reserved and neither sold nor renewed in time."""

import logging

from observability import semconv
from observability.telemetry import Telemetry
from observability.unsampled import unsampled
from services.chassis.errors import CallError
from services.chassis.rounds import Rounds
from services.inventory import use_cases
from services.inventory.ports import Dependencies

log = logging.getLogger(__name__)

BATCH = 50
"""Reservations that are given back in one transaction: it must not keep buyers waiting."""


class Expiry(Rounds):
    """A component. `interval` between looks, `grace` before the first one, both in seconds."""

    def __init__(self, deps: Dependencies, telemetry: Telemetry, interval: float, grace: float) -> None:
        super().__init__("expiry", BATCH, interval, grace)
        self._deps, self._metrics = deps, telemetry.metrics
        self._metrics.zero(semconv.RESERVATIONS_EXPIRED)

    async def round(self) -> int:
        """Gives back one batch; how many reservations it was."""
        try:
            with unsampled():
                expired = await use_cases.expire(self._deps, BATCH)
        except CallError as error:
            log.warning("expired reservations are not given back", extra={"error": str(error)})
            return 0
        except Exception:  # a defect, which must not end the loop; the store's own metrics count it
            log.exception("expired reservations are not given back")
            return 0
        if expired:
            self._metrics.add(semconv.RESERVATIONS_EXPIRED, amount=expired)
            log.info("expired reservations given back", extra={"reservations": expired})
        return expired

"""The expiry: a loop that gives back what was reserved and neither sold nor renewed in time."""

import asyncio
import contextlib
import logging

from observability import semconv
from observability.telemetry import Telemetry
from observability.unsampled import unsampled
from services.chassis.errors import CallError
from services.inventory import use_cases
from services.inventory.ports import Dependencies

log = logging.getLogger(__name__)

BATCH = 50
"""Reservations that are given back in one transaction: it must not keep buyers waiting."""


class Expiry:
    """A component. `interval` between looks, `grace` before the first one, both in seconds."""

    name = "expiry"

    def __init__(self, deps: Dependencies, telemetry: Telemetry, interval: float, grace: float) -> None:
        self._deps, self._metrics, self._interval, self._grace = deps, telemetry.metrics, interval, grace
        self._ending = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._metrics.zero(semconv.RESERVATIONS_EXPIRED)

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=self.name)

    async def drain(self) -> None:
        """Finishes its transaction."""
        self._ending.set()
        if self._task:
            await asyncio.shield(self._task)

    async def stop(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        await self._pause(self._grace)
        while not self._ending.is_set():
            if await self.round() < BATCH:
                await self._pause(self._interval)

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._ending.wait()

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

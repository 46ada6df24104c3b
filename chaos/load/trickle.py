"""Load that goes on until it is told to end: plan after plan, whatever becomes of the system meanwhile."""

import asyncio
import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from chaos.load.catalogue import check_orders, fetch_product_ids
from chaos.load.errors import CatalogueError
from chaos.load.generator import Limits, OnResult, run_load
from chaos.load.outcomes import OutcomeClass
from chaos.load.plan import LoadPlan
from chaos.load.report import LoadReport

log = logging.getLogger(__name__)

ROUND_S: Final = 60.0
_LEAST_REQUESTS: Final = 10  # of a round, so that rounding them to whole ones leaves the rate as it is
_ASK_AGAIN_S: Final = 0.5


@dataclass(frozen=True)
class Trickle:
    """A steady rate, requests per second, at one gateway.

    A round's plan follows from the seed and the round's number; its idempotency keys from `run_id` too, which is
    another for each process, so that nothing is ever a repetition of what an earlier process sent.
    """

    gateway_url: str
    keys: Sequence[str]
    rps: float
    seed: int = 1
    limits: Limits = field(default_factory=Limits)
    run_id: str = field(default_factory=lambda: secrets.token_hex(8))
    round_s: float = ROUND_S

    async def run(self, stop: asyncio.Event, begun: asyncio.Event, on_result: OnResult | None = None) -> None:
        """From when the shop is open until `stop`, and what is in flight is answered. `begun` is set when it begins."""
        products, number = await self._products(stop), 0
        async with asyncio.TaskGroup() as rounds:
            while not stop.is_set():
                begun.set()
                plan = self.plan(number, products)
                # The next round does not wait for the answers of this one: a slow system gets its load all the same.
                rounds.create_task(self._round(plan, stop, on_result))
                await _at_most(plan.duration_s, stop)
                number += 1

    def plan(self, number: int, products: tuple[str, ...]) -> LoadPlan:
        """Of that round, from 0."""
        duration_s = max(self.round_s, _LEAST_REQUESTS / self.rps)
        return LoadPlan(
            self.rps, duration_s, self.seed + number, products, f"{self.run_id}-{number}", users=len(self.keys)
        )

    async def _products(self, stop: asyncio.Event) -> tuple[str, ...]:
        """What there is to ask for, as soon as the shop takes orders; nothing when told to stop before."""
        said, containers = False, self.limits.containers
        while not stop.is_set():
            try:
                await check_orders(self.gateway_url, self.keys[0], containers)
                return await fetch_product_ids(self.gateway_url, self.keys[0], containers=containers)
            except CatalogueError as exc:
                if not said:
                    log.warning("waiting for the shop to open", extra={"error": str(exc)})
                said = True
            await _at_most(_ASK_AGAIN_S, stop)
        return ()

    async def _round(self, plan: LoadPlan, stop: asyncio.Event, on_result: OnResult | None) -> None:
        report = await run_load(plan, self.gateway_url, self.keys, on_result=on_result, stop=stop, limits=self.limits)
        log.info("round over", extra=_told(report))


def _told(report: LoadReport) -> dict[str, object]:
    counts = {f"{each.value}_count": report.count(each) for each in OutcomeClass}
    return {"run_id": report.run_id, "sent_count": report.sent, **counts, "late": report.generator.said}


async def _at_most(seconds: float, stop: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return

"""A running system whose wires and processes are in a test's hands."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import psutil

from chaos.invariants import Acknowledged, databases_in, verify
from deploy.system import System, start_system
from tests.e2e.checkout.books import Books
from tests.e2e.checkout.customer import Customer, customers
from tests.e2e.checkout.topologies import reference
from tests.e2e.checkout.wire import Wire
from tests.waiting import become

HEALED_WITHIN_S = 300.0
READY_WITHIN_S = 300.0
GOOD_IN_A_ROW = 5
CUSTOMERS = 6

_PEERS = ("inventory", "payments")


@dataclass
class Scene:
    """`customers` by user id; `told` is what all of them heard. `kills` are the processes killed so far."""

    system: System
    wire: Wire
    books: Books
    customers: Mapping[str, Customer]
    told: list[Acknowledged]
    kills: int = 0
    _dead: set[int] = field(default_factory=set)

    async def processes(self) -> Mapping[str, int]:
        """Pids by instance, once all are ready."""

        async def ready() -> Mapping[str, int]:
            found = await asyncio.to_thread(self.system.supervisor.processes)
            waiting = [each["instance"] for each in found if each["state"] != "ready" or each["pid"] in self._dead]
            assert not waiting, f"not ready: {', '.join(waiting)}"
            return {each["instance"]: each["pid"] for each in found}

        return await become(ready, HEALED_WITHIN_S, pause=0.2)

    async def kill(self, pids: Mapping[str, int]) -> None:
        """SIGKILL, all at once; returns when they are gone, and are being started again."""
        for pid in pids.values():
            os.kill(pid, signal.SIGKILL)
        self._dead.update(pids.values())
        self.kills += len(pids)
        for instance in pids:  # without the wait that the supervisor would make them serve for ending so often
            await asyncio.to_thread(self.system.supervisor.restart, instance)

        async def gone() -> None:
            assert not any(map(psutil.pid_exists, pids.values()))

        await become(gone, HEALED_WITHIN_S)

    async def at_rest(self) -> None:
        """Returns when no order is pending."""

        async def nothing_pending() -> None:
            assert await self.books.pending() == 0, "orders are pending"

        await become(nothing_pending, HEALED_WITHIN_S)

    async def healed(self) -> None:
        """Returns when all run, no order is pending, and checkouts succeed again."""

        async def well() -> None:
            customer = next(iter(self.customers.values()))
            for number in range(GOOD_IN_A_ROW):
                answer = await customer.check_out(f"well-{time.monotonic_ns()}-{number}")
                assert answer.status == 201, answer

        await self.processes()
        await self.at_rest()
        await become(well, HEALED_WITHIN_S)
        await self.at_rest()

    async def assert_sound_at_rest(self) -> Mapping[str, Mapping[str, int]]:
        """When no order is pending, every invariant and every answer holds; how much there was to look at."""
        await self.at_rest()
        report = await verify(self.books.databases, self.told, now_us=time.time_ns() // 1000, max_pending_s=0)
        assert not report.moving
        assert not report.violations
        self._assert_honest()
        return report.counts

    def _assert_honest(self) -> None:
        """No answer was one that should not be: a defect, or a refusal of what is right."""
        answers = [answer for each in self.customers.values() for answer in each.answers]
        wrong = [each for each in answers if each.status not in {0, 200, 201, 202, 402, 409, 503, 504}]
        assert not wrong, wrong[:3]
        assert all(each.retry_after for each in answers if each.status == 503)


@asynccontextmanager
async def opened(
    folder: Path, databases: Mapping[str, str], *, replicas: Mapping[str, int] | None = None, hasty: bool = False
) -> AsyncIterator[Scene]:
    """A system of its own, with a few customers. `databases` as `start_system` takes them."""
    wire, told = Wire(_PEERS), list[Acknowledged]()
    topology = reference(**wire.ports, hasty=hasty)
    try:
        starting = partial(start_system, folder, topology=topology, replicas=replicas, databases=databases)
        system = await asyncio.to_thread(partial(starting, ready_deadline_s=READY_WITHIN_S))
        try:
            await wire.start({peer: _addresses(system, peer) for peer in _PEERS})
            async with customers(system.gateway_url, system.keys[:CUSTOMERS], told) as found:
                yield Scene(system, wire, Books({**databases_in(folder), **databases}), found, told)
        finally:
            await asyncio.to_thread(system.stop)
    finally:
        await wire.stop()


def _addresses(system: System, service: str) -> Sequence[str]:
    found: Collection[dict[str, object]] = system.topology["processes"]
    urls = [system.url(str(each["instance"]), "GRPC_PORT") for each in found if each["service"] == service]
    return [url.removeprefix("http://") for url in urls]

"""All processes of one system: started together, ended one after the other, the first of the chain first."""

import asyncio
import logging
import os
import time
from collections.abc import Iterator, Sequence
from enum import StrEnum
from itertools import groupby
from typing import Any, Final

from deploy.errors import NotFoundError, StartError
from deploy.supervisor import events
from deploy.supervisor.process import ManagedProcess, Snapshot, State

log = logging.getLogger(__name__)

_OWN_CODES: Final = frozenset({os.EX_CONFIG, os.EX_UNAVAILABLE})


class Phase(StrEnum):
    """Where the whole system is."""

    STARTING = "starting"
    READY = "ready"
    STOPPING = "stopping"


class Supervisor:
    """Runs `processes`, which are in the order of dependence: callees first."""

    def __init__(
        self, processes: Sequence[ManagedProcess], on_event: events.Listener, ready_deadline_s: float = 60.0
    ) -> None:
        self.processes = tuple(processes)
        self.phase = Phase.STARTING
        self._tell = on_event
        self._ready_deadline_s = ready_deadline_s
        self._stop = asyncio.Event()
        self._reason = ""
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def snapshots(self) -> list[Snapshot]:
        return [each.snapshot for each in self.processes]

    def process(self, instance: str) -> ManagedProcess:
        """Raises NotFoundError, naming the valid choices."""
        known = {each.spec.instance: each for each in self.processes}
        if instance not in known:
            raise NotFoundError(f"there is no process {instance!r}; processes: {', '.join(known)}")
        return known[instance]

    def request_stop(self, reason: str) -> None:
        """Ends `run` in order; asked for a second time, without letting anybody drain."""
        if self._stop.is_set():
            for each in self.processes:
                each.hurry()
        self._reason = self._reason or reason
        self._stop.set()

    async def run(self) -> None:
        """Until asked to stop; when it returns or raises, no process is left. Raises StartError."""
        began = time.monotonic()
        self._tell(events.SystemStarting(tuple(each.spec.instance for each in self.processes)))
        self._tasks = {each.spec.instance: asyncio.create_task(each.run()) for each in self.processes}
        try:
            await self._until_ready()
            if not self._stop.is_set():
                self.phase = Phase.READY
                self._tell(events.SystemReady(time.monotonic() - began))
                await self._until_stopped()
        finally:
            await self._end()

    async def _until_ready(self) -> None:
        ready: asyncio.Future[Any] = asyncio.gather(*(self._ready(each) for each in self.processes))
        stopped: asyncio.Future[Any] = asyncio.create_task(self._stop.wait())
        try:
            done, _ = await asyncio.wait(
                {ready, stopped}, timeout=self._ready_deadline_s, return_when=asyncio.FIRST_COMPLETED
            )
            if ready in done:
                ready.result()
            elif not done and (late := self._late()):
                raise late
        finally:
            ready.cancel()
            stopped.cancel()
            await asyncio.gather(ready, stopped, return_exceptions=True)

    async def _ready(self, process: ManagedProcess) -> None:
        await process.settled.wait()
        found = process.snapshot
        if found.state is State.FAILED and not process.spec.optional:
            code = found.exit_code if found.exit_code in _OWN_CODES else None
            raise StartError(found.instance, found.detail, process.log_file, code or os.EX_SOFTWARE)

    def _late(self) -> StartError | None:
        late = [each for each in self.processes if not each.settled.is_set() and not each.spec.optional]
        if not late:
            return None
        missing = [each.snapshot for each in late]
        others = f" (nor {', '.join(each.instance for each in missing[1:])})" if missing[1:] else ""
        reason = f"not ready within {self._ready_deadline_s:g} s{others}: {missing[0].detail or 'no answer yet'}"
        return StartError(missing[0].instance, reason, late[0].log_file)

    async def _until_stopped(self) -> None:
        """Until asked to, or until a keeper (not its process: those are restarted) ends by an error of ours."""
        stopped = asyncio.create_task(self._stop.wait())
        done, _ = await asyncio.wait({stopped, *self._tasks.values()}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        for each in done:
            each.result()

    async def _end(self) -> None:
        self.phase = Phase.STOPPING
        self._tell(events.SystemStopping(self._reason))
        for replicas in self._in_order_of_ending():
            for each in replicas:
                each.stop()
            await asyncio.wait([self._tasks[each.spec.instance] for each in replicas])
        for instance, task in self._tasks.items():
            if error := task.exception():
                log.error("the keeper of a process failed", extra={"instance": instance}, exc_info=error)
        self._tell(events.SystemStopped())

    def _in_order_of_ending(self) -> Iterator[list[ManagedProcess]]:
        """Callers before callees, so that nobody calls somebody who is gone; replicas of one service together."""
        for _, replicas in groupby(reversed(self.processes), key=lambda each: each.spec.service):
            yield list(replicas)

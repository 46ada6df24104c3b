"""One process of the system, kept running: spawned, watched until ready, restarted when it ends, ended when told to.

    starting ──ready──► ready ◄──► unready       paused: stopped by us, from any of the three, for a time
       │ ended            │ ended
       ▼                  ▼
    waiting ──delay over──► starting             waiting: to be started again
       │ given up (see RestartPolicy)
       ▼
    failed                                       stopping ──► stopped: told to end

The child belongs to the task that runs `run`; the other methods send it a signal, or tell that task what is wanted.
"""

import asyncio
import os
import signal
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from deploy.supervisor import events
from deploy.supervisor.child import Child, how_ended
from deploy.supervisor.plan import ChildSpec
from deploy.supervisor.probe import Probe, probe
from deploy.supervisor.process_log import ProcessLog
from deploy.supervisor.restarts import Ended, RestartPolicy, Restarts

_POLL_SOON_S: Final = 0.05
_POLL_LATER_S: Final = 1.0
_SOON_S: Final = 15.0  # so long after it became unready, it is expected to be ready any moment


class State(StrEnum):
    """Where a process is; see the drawing above."""

    STARTING = "starting"
    READY = "ready"
    UNREADY = "unready"
    PAUSED = "paused"
    WAITING = "waiting"
    FAILED = "failed"
    STOPPING = "stopping"
    STOPPED = "stopped"


_ALIVE: Final = frozenset({State.STARTING, State.READY, State.UNREADY, State.PAUSED})


@dataclass(frozen=True)
class Snapshot:
    """A process as it is now. `ready_after_s`: from spawn to ready, None before; `detail`: why it is not ready."""

    instance: str
    service: str
    state: State
    pid: int | None
    ports: dict[str, int]
    restarts: int
    started_at: datetime | None
    uptime_s: float | None
    ready_after_s: float | None
    last_exit: str
    exit_code: int | None
    detail: str


class ManagedProcess:
    """Keeps one `ChildSpec` running. `lifeline_fd` is the read end of the supervisor's pipe."""

    def __init__(
        self,
        spec: ChildSpec,
        lifeline_fd: int,
        log: ProcessLog,
        on_event: events.Listener,
        policy: RestartPolicy | None = None,
    ) -> None:
        self.spec = spec
        self._log = log
        self._lifeline_fd = lifeline_fd
        self._tell = on_event
        self._policy = policy or RestartPolicy()
        self._restarts = Restarts(self._policy)
        self._child: Child | None = None
        self._state = State.WAITING
        self._detail = ""
        self._starts = 0
        self._started_at: datetime | None = None
        self._ready_after_s: float | None = None
        self._unready_since = 0.0
        self._was_ever_ready = False
        self._last: Ended | None = None
        self._hold_s: float | None = None  # set by whoever kills the child on purpose: start it again after this
        self._recalled = asyncio.Event()  # the child is to end, or the wait for its restart is over
        self._stop = asyncio.Event()  # and it is not to be started again
        self._hurry = asyncio.Event()  # and it has no time to drain
        self._waking: asyncio.TimerHandle | None = None
        self.settled = asyncio.Event()
        """Set when it is ready, or given up, for the first time."""

    @property
    def log_file(self) -> Path:
        return self._log.file

    @property
    def snapshot(self) -> Snapshot:
        child, last = self._child, self._last
        return Snapshot(
            instance=self.spec.instance,
            service=self.spec.service,
            state=self._state,
            pid=child.pid if child else None,
            ports=dict(self.spec.listeners),
            restarts=max(0, self._starts - 1),
            started_at=self._started_at if child else None,
            uptime_s=round(child.age_s, 3) if child else None,
            ready_after_s=self._ready_after_s if child else None,
            last_exit=how_ended(last.code) if last else "",
            exit_code=last.code if last else None,
            detail=self._detail,
        )

    # --- what others may ask for; False: not possible in its state -------------------------------------------------

    def kill(self, hold_s: float = 0.0) -> bool:
        """SIGKILL; started again after `hold_s`."""
        if self._child is None:
            return False
        self._hold_s = hold_s
        self._child.signal(signal.SIGKILL)
        return True

    def pause(self, ttl_s: float) -> bool:
        """SIGSTOP, and SIGCONT after `ttl_s`."""
        if self._child is None or self._state not in _ALIVE:
            return False
        self._cancel_waking()
        self._child.signal(signal.SIGSTOP)
        self._state, self._detail = State.PAUSED, f"paused for {ttl_s:g} s"
        self._waking = asyncio.get_running_loop().call_later(ttl_s, self.resume)
        self._tell(events.Paused(self.spec.instance, ttl_s))
        return True

    def resume(self) -> bool:
        """SIGCONT."""
        if self._child is None or self._state is not State.PAUSED:
            return False
        self._cancel_waking()
        self._child.signal(signal.SIGCONT)
        self._state = State.STARTING if self._ready_after_s is None else State.UNREADY
        self._detail, self._unready_since = "", time.monotonic()
        self._tell(events.Resumed(self.spec.instance))
        return True

    def restart(self) -> bool:
        """Ends it in order and starts it again; also one that waits or was given up."""
        if self._stop.is_set():
            return False
        self._restarts.forgive()
        self._recalled.set()
        return True

    def stop(self) -> None:
        """Ends it in order, for good."""
        self._stop.set()
        self._recalled.set()

    def hurry(self) -> None:
        """Whatever is ending is killed."""
        self._hurry.set()

    # --- the life of the process ---------------------------------------------------------------------------------

    async def run(self) -> None:
        """Until `stop`; when cancelled, the child is killed."""
        try:
            while not self._stop.is_set():
                self._recalled.clear()
                self._last = await self._live()
                if not self._stop.is_set():
                    await self._rest(self._last)
        finally:
            self._state = State.STOPPED
            self.settled.set()

    async def _live(self) -> Ended:
        """One life, from spawn to end."""
        try:
            child = await self._spawn()
        except OSError as exc:
            self._starts += 1
            return Ended(None, os.EX_OSERR, f"cannot be spawned: {exc.strerror}", None)
        try:
            code = await self._attend(child)
        finally:
            self._child = None
            self._cancel_waking()
        ready_for_s = None if self._ready_after_s is None else child.age_s - self._ready_after_s
        return Ended(child.pid, code, child.last_words, ready_for_s)

    async def _spawn(self) -> Child:
        spec = self.spec
        child = await Child.spawn(spec.module, spec.environment, self._lifeline_fd, self._log)
        self._child, self._state, self._detail = child, State.STARTING, ""
        self._starts += 1
        self._started_at, self._unready_since = datetime.now(UTC), child.started_at
        self._ready_after_s = self._hold_s = None
        self._tell(events.Started(spec.instance, child.pid))
        return child

    async def _attend(self, child: Child) -> int:
        """Watches the child's health until it ends, by itself or as it is told to; its exit code."""
        exited = asyncio.create_task(child.wait())
        recalled = asyncio.create_task(self._recalled.wait())
        watching = asyncio.create_task(self._watch(child))
        try:
            await asyncio.wait({exited, recalled, watching}, return_when=asyncio.FIRST_COMPLETED)
            await _cancel(recalled, watching)
            if not exited.done():
                await self._end(child, exited)
            return await exited
        finally:
            if not exited.done():  # we are being cancelled, or something broke: nobody else would end it
                child.signal(signal.SIGKILL)
            await _cancel(recalled, watching)

    async def _watch(self, child: Child) -> None:
        """Asks for readiness, often while it starts and now and then afterwards."""
        heard = False
        while True:
            if self._state is not State.PAUSED:
                found = await self._probe()
                heard = heard or found.status is not None
                self._note(child, found)
            if not heard and self._state is State.STARTING:
                self._kill_if_hung(child)
            self._log.bound()
            await asyncio.sleep(self._poll_interval())

    async def _probe(self) -> Probe:
        spec = self.spec
        return await probe(spec.environment["BIND_HOST"], spec.listeners[spec.readiness.listener], spec.readiness)

    def _note(self, child: Child, found: Probe) -> None:
        if self._state is State.PAUSED:  # while it was asked
            return
        if found.ready and self._state is not State.READY:
            self._become_ready(child)
        elif not found.ready and self._state is State.READY:
            self._state, self._unready_since = State.UNREADY, time.monotonic()
            self._tell(events.Unready(self.spec.instance, found.detail))
        self._detail = found.detail

    def _become_ready(self, child: Child) -> None:
        self._state = State.READY
        if self._ready_after_s is None:
            self._ready_after_s = round(child.age_s, 3)
        seconds = time.monotonic() - self._unready_since
        self._tell(events.Ready(self.spec.instance, seconds, again=self._was_ever_ready))
        self._was_ever_ready = True
        self.settled.set()

    def _poll_interval(self) -> float:
        expected = self._state is not State.READY and time.monotonic() - self._unready_since < _SOON_S
        return _POLL_SOON_S if expected else _POLL_LATER_S

    def _kill_if_hung(self, child: Child) -> None:
        if child.age_s > self._policy.hung_after_s:
            self._tell(events.Hung(self.spec.instance, self._policy.hung_after_s))
            child.signal(signal.SIGKILL)

    async def _end(self, child: Child, exited: asyncio.Task[int]) -> None:
        """SIGTERM, waking it first if it is paused; SIGKILL when its time to drain is over or there is a hurry."""
        self._state, began = State.STOPPING, time.monotonic()
        child.signal(signal.SIGTERM)
        child.signal(signal.SIGCONT)
        hurried = asyncio.create_task(self._hurry.wait())
        await asyncio.wait({exited, hurried}, timeout=self._policy.grace_s, return_when=asyncio.FIRST_COMPLETED)
        await _cancel(hurried)
        if forced := not exited.done():
            child.signal(signal.SIGKILL)
            await exited
        self._tell(events.Stopped(self.spec.instance, time.monotonic() - began, forced))

    async def _rest(self, end: Ended) -> None:
        """Waits until it is to be started again: at once, after a while, or, when it is given up, when asked to."""
        if self._recalled.is_set():  # it was told to end
            return
        delay = self._hold_s if self._hold_s is not None else self._restarts.after(end)
        if delay is None:
            self._give_up(end)
        else:
            self._await_turn(end, delay)
        await _at_most(delay, self._recalled.wait())

    def _give_up(self, end: Ended) -> None:
        self._state, self._detail = State.FAILED, end.last_words or how_ended(end.code)
        self._tell(events.Failed(self.spec.instance, self._detail, end.code))
        self.settled.set()

    def _await_turn(self, end: Ended, delay: float) -> None:
        how = how_ended(end.code)
        self._state, self._detail = State.WAITING, f"ended with {how}, starts again after {delay:.1f} s"
        self._tell(events.Exited(self.spec.instance, end.pid, how, delay))

    def _cancel_waking(self) -> None:
        if self._waking:
            self._waking.cancel()
            self._waking = None


async def _at_most(seconds: float | None, waiting: Coroutine[Any, Any, object]) -> None:
    """Awaits that, but no longer; None: as long as it takes."""
    try:
        await asyncio.wait_for(waiting, seconds)
    except TimeoutError:
        return


async def _cancel(*tasks: asyncio.Task[Any]) -> None:
    """Cancels what still runs; what failed by itself is raised here."""
    for task in tasks:
        task.cancel()
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(outcome, Exception):
            raise outcome

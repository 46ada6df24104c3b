"""Puts a supervisor together and runs it: the one place where its parts are chosen."""

import asyncio
import logging
import os
import secrets
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from deploy import ports
from deploy.errors import StateError
from deploy.supervisor import events, keys, leftovers
from deploy.supervisor.plan import DATABASE_URL, ChildSpec, Plan, Ports, Site, address
from deploy.supervisor.process import ManagedProcess
from deploy.supervisor.process_log import ProcessLog
from deploy.supervisor.request import HOST, Request
from deploy.supervisor.restarts import RestartPolicy
from deploy.supervisor.settings import load as load_settings
from deploy.supervisor.state import Control, StateFolder, write_json, write_text
from deploy.supervisor.supervisor import Supervisor
from deploy.topology import FAULTLINE, Topology
from observability import logs
from observability.redaction import Redactor

if TYPE_CHECKING:
    from deploy.supervisor.control_api import Server

log = logging.getLogger(__name__)

NAME: Final = "supervisor"
_HOUSEKEEPING_S: Final = 10.0
# A process whose drain was cut off has this long to end; one whose lifeline was cut ends itself 2 s after its drain.
_AFTER_DRAIN_S: Final = 3.0


@dataclass(frozen=True)
class Options:
    """What a run is to be. Times in seconds; `settings` are for every process.

    `lifeline_fd`: at its end of file the supervisor ends everything.
    """

    state: StateFolder
    topology: Topology = FAULTLINE
    free_ports: bool = False
    replicas: Mapping[str, int] = field(default_factory=dict)
    databases: Mapping[str, str] = field(default_factory=dict)
    host: str = HOST
    ready_deadline_s: float = 60.0
    drain_timeout_s: float = 10.0
    keep_traces: bool = False
    settings: Mapping[str, str] = field(default_factory=dict)
    lifeline_fd: int | None = None


def options(request: Request) -> Options:
    """The request, with what the environment adds. Raises UsageError, MissingProgramError."""
    settings = load_settings()
    return Options(
        request.folder,
        request.find_topology(),
        request.free_ports,
        request.replicas,
        {**settings.database_urls, **request.databases},
        ready_deadline_s=request.ready_deadline_s,
        drain_timeout_s=settings.drain_timeout_s,
        keep_traces=settings.keep_traces,
        settings=settings.handed_on,
        lifeline_fd=settings.lifeline_fd,
    )


OnAddresses = Callable[[Mapping[str, Any]], None]


def run(options: Options, on_event: events.Listener, on_addresses: OnAddresses = lambda _: None) -> None:
    """Runs the system until it is told to end (signal, control API, lifeline); then no process of it is left.

    `on_addresses` gets the content of topology.json before anything is ready.
    Raises AlreadyRunningError, PortsTakenError, StartError, StateError, UsageError.
    """
    plan = Plan(options.topology, options.replicas, options.databases)
    options.state.create()
    with options.state.locked(), ExitStack() as sockets:
        options.state.withdraw()  # what a killed supervisor announced
        leftovers.end(options.state, options.drain_timeout_s + _AFTER_DRAIN_S)
        options.state.forget_policies()
        chosen, claim = _choose_ports(plan, options, sockets)
        asyncio.run(_Run(plan, chosen, claim, options, on_event).go(on_addresses))


def _choose_ports(plan: Plan, options: Options, sockets: ExitStack) -> tuple[Ports, socket.socket]:
    """Every process's ports, and the control API's listening socket. `sockets` closes what holds them."""

    @cache
    def free() -> ports.FreePorts:
        block = ports.FreePorts(options.host)
        sockets.enter_context(block.claim)
        return block

    if options.free_ports:
        return plan.free_ports(lambda: free().take()), free().claim
    ports.check(options.host, plan.fixed())
    wanted = ports.Wanted(options.topology.control_port, "the supervisor's control API")
    claim = sockets.enter_context(ports.claim(options.host, wanted))
    return plan.fixed_ports(lambda: free().take()), claim


class _Run:
    """One run, its parts put together."""

    def __init__(
        self, plan: Plan, chosen: Ports, claim: socket.socket, options: Options, on_event: events.Listener
    ) -> None:
        self._claim = claim
        self._options = options
        self._state = options.state
        self._on_event = on_event
        self._token = secrets.token_urlsafe(32)
        self._notifications_token = secrets.token_urlsafe(32)
        self._redactor = Redactor([self._token, self._notifications_token, *plan.secrets])
        self._address = f"http://{address(options.host, claim.getsockname()[1])}"
        self._topology = plan.describe(chosen, options.host, self._address)
        site = Site(
            options.state,
            options.host,
            self._token,
            options.drain_timeout_s,
            options.keep_traces,
            options.settings,
        )
        self._specs = plan.children(chosen, site)
        self._pids: dict[str, int] = {}

    async def go(self, on_addresses: OnAddresses) -> None:
        keys.ensure(self._state)
        write_json(self._state.stores_file, _stores(self._specs))
        write_text(self._state.notifications_token_file, self._notifications_token)
        own_log = ProcessLog(self._state.log_file(NAME), f"faultline-{NAME}", NAME, self._redactor)
        with self._logging(own_log), _lifeline() as lifeline_fd:
            supervisor = self._supervisor(lifeline_fd)
            with _end_on_signals(supervisor), _end_on_cut(supervisor, self._options.lifeline_fd):
                async with _running(supervisor) as ended, self._control_api(supervisor), _housekeeping(own_log):
                    on_addresses(self._topology)
                    await ended

    def _supervisor(self, lifeline_fd: int) -> Supervisor:
        policy = RestartPolicy(grace_s=self._options.drain_timeout_s + _AFTER_DRAIN_S)
        processes = [
            ManagedProcess(
                spec,
                lifeline_fd,
                ProcessLog(self._state.log_file(spec.instance), spec.service, spec.instance, self._redactor),
                self._heard,
                policy,
            )
            for spec in self._specs
        ]
        return Supervisor(processes, self._heard, self._options.ready_deadline_s)

    def _heard(self, event: events.Event) -> None:
        log.log(event.level, "%s", event, extra={"event": type(event).__name__, **vars(event)})
        if isinstance(event, events.Started):
            self._pids[event.instance] = event.pid
            self._record()
        self._on_event(event)

    def _record(self) -> None:
        try:
            leftovers.record(self._state, self._pids.values())
        except StateError as exc:  # a full disk, a deleted folder: no reason to end what runs
            log.warning("the children are not recorded", extra={"error": str(exc)})

    @contextmanager
    def _logging(self, own_log: ProcessLog) -> Iterator[None]:
        about = {"service.name": f"faultline-{NAME}", "service.instance.id": NAME}
        with os.fdopen(own_log.open(), "w", buffering=1) as stream:
            stop = logs.start(about, "INFO", stream, self._redactor)
            try:
                yield
            finally:
                stop()

    @asynccontextmanager
    async def _control_api(self, supervisor: Supervisor) -> AsyncIterator[None]:
        server = await asyncio.to_thread(_server, supervisor, self._state, self._topology, self._token)
        serving = asyncio.create_task(server.serve([self._claim]))
        try:
            self._state.announce(
                Control(self._address, self._token, os.getpid(), leftovers.born(os.getpid()) or 0.0), self._topology
            )
            yield
        finally:
            self._state.withdraw()
            server.end()
            await serving
            self._state.children_file.unlink(missing_ok=True)


@asynccontextmanager
async def _running(supervisor: Supervisor) -> AsyncIterator[asyncio.Task[None]]:
    """Its task; over before the block is left."""
    running = asyncio.create_task(supervisor.run())
    try:
        yield running
    finally:
        running.cancel()
        await asyncio.wait({running})


def _server(supervisor: Supervisor, state: StateFolder, topology: dict[str, Any], token: str) -> "Server":
    """Its libraries are imported while the children start, which need none of them, instead of before."""
    from deploy.supervisor.control_api import ControlApi, Server  # noqa: PLC0415

    return Server(ControlApi(supervisor, state, topology).app(token))


def _stores(specs: Sequence[ChildSpec]) -> dict[str, str]:
    return {each.service: each.environment[DATABASE_URL] for each in specs if DATABASE_URL in each.environment}


@contextmanager
def _lifeline() -> Iterator[int]:
    """The read end of a pipe whose write end nobody but this process has; both are closed at the end."""
    read_end, write_end = os.pipe()
    try:
        yield read_end
    finally:
        os.close(write_end)
        os.close(read_end)


@contextmanager
def _end_on_signals(supervisor: Supervisor) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    numbers = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup means it
        numbers.append(signal.SIGHUP)
    for number in numbers:
        loop.add_signal_handler(number, supervisor.request_stop, number.name)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


@contextmanager
def _end_on_cut(supervisor: Supervisor, lifeline_fd: int | None) -> Iterator[None]:
    """Ends the system when whoever holds the other end of the supervisor's own lifeline is gone."""
    if lifeline_fd is None:
        yield
        return
    loop = asyncio.get_running_loop()

    def cut() -> None:
        if not os.read(lifeline_fd, 1024):
            loop.remove_reader(lifeline_fd)
            supervisor.request_stop("the process that started it is gone")

    loop.add_reader(lifeline_fd, cut)
    try:
        yield
    finally:
        loop.remove_reader(lifeline_fd)


@asynccontextmanager
async def _housekeeping(own_log: ProcessLog) -> AsyncIterator[None]:
    async def keep() -> None:
        while True:
            own_log.bound()
            await asyncio.sleep(_HOUSEKEEPING_S)

    task = asyncio.create_task(keep())
    try:
        yield
    finally:
        task.cancel()

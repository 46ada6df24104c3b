"""`faultline up`: starts the system, in the foreground or detached."""

import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from rich.text import Text

from chaos.options import Number, NumberRange
from deploy.cli.common import state_option
from deploy.cli.screen import Screen
from deploy.errors import AlreadyRunningError
from deploy.programs.catalogue import PROGRAMS
from deploy.programs.selection import Selection
from deploy.supervisor import bootstrap, events
from deploy.supervisor.launch import Launched
from deploy.supervisor.plan import Plan
from deploy.supervisor.process import State
from deploy.supervisor.request import DEFAULT_TOPOLOGY, Request, parse_replicas
from deploy.supervisor.state import ENVIRONMENT_KEY, StateFolder, default_folder
from deploy.topology import Topology


@click.command("up")
@click.option("--detach", "-d", is_flag=True, help="Return when it is ready, and leave it running.")
@click.option("--free-ports", is_flag=True, help="Take free ports instead of the fixed ones.")
@click.option(
    "--ready-deadline", metavar="SECONDS", type=NumberRange(0, min_open=True), default=60.0, show_default=True,
    help="Give up when it is not ready by then.",
)  # fmt: skip
@click.option("--topology", metavar="MODULE:NAME", default=DEFAULT_TOPOLOGY, show_default=True, help="What to start.")
@click.option("--replicas", multiple=True, metavar="SERVICE=N", help="Run N of this service; may be given for several.")
@click.option("--require", metavar="NAME,…", default="", help=f"Fail unless these take part: {', '.join(PROGRAMS)}.")
@click.option("--embedded-only", is_flag=True, help="Start none of them, even if they are installed.")
@click.option("--load", type=Number(), metavar="RPS", help="Send so many requests per second, until it ends.")
@state_option
def command(  # noqa: PLR0913 -- one for each option
    state: StateFolder,
    *,
    detach: bool,
    free_ports: bool,
    ready_deadline: float,
    topology: str,
    replicas: tuple[str, ...],
    require: str,
    embedded_only: bool,
    load: float | None,
) -> None:
    """Start the system and show its addresses. Ctrl-C ends it, letting every process finish what it has begun.

    Prometheus, Alertmanager, Jaeger and Grafana take part where this machine has them; `make backends` installs what it can.
    """
    programs = Selection(tuple(filter(None, map(str.strip, require.split(",")))), installed=not embedded_only)
    request = Request(
        state.path, free_ports, topology, ready_deadline_s=ready_deadline, load_rps=load, programs=programs
    )
    request = replace(request, replicas=_replicas(request.find_topology(), replicas))
    screen = Screen()
    if detach:
        _detached(request, screen)
    else:
        progress = Progress(screen, state)
        bootstrap.run(bootstrap.options(request), progress.on_event, progress.on_addresses)


def _replicas(topology: Topology, pairs: Sequence[str]) -> Mapping[str, int]:
    """Raises UsageError, before anything is started, naming the valid services."""
    replicas = parse_replicas(pairs, [each.name for each in topology.processes if not each.only_one_as])
    Plan(topology, replicas)
    return replicas


class Progress:
    """Shows what the supervisor in this process tells."""

    def __init__(self, screen: Screen, state: StateFolder) -> None:
        self._screen = screen
        self._state = state
        self._topology: Mapping[str, Any] = {}
        self._is_ready = self._is_stopping = False

    def on_addresses(self, topology: Mapping[str, Any]) -> None:
        self._topology = topology

    def on_event(self, event: events.Event) -> None:
        match event:
            case events.SystemStarting(instances):
                self._screen.line(f"Faultline starts {len(instances)} processes; state folder {self._state.path}")
            case events.SystemReady(seconds):
                self._is_ready = True
                show_addresses(self._screen, self._topology, self._state, seconds)
                self._screen.line("\nCtrl-C ends it.", style="bold")
            case events.SystemStopping(reason):
                self._is_stopping = True
                self._screen.line(f"\n{_stopping(reason)}")
            case events.SystemStopped():
                self._screen.line("Ended; nothing is left.")
            case events.Started():
                pass  # soon it is ready, or it has ended
            case _:
                self._screen.line(_marked(event))


def show_addresses(screen: Screen, topology: Mapping[str, Any], state: StateFolder, seconds: float) -> None:
    """The addresses to open, and the files that hold the secrets they need."""
    screen.line(f"Ready in {seconds:.1f} s.\n", style="bold")
    rows = [
        *((page["label"], page["url"], "") for page in topology["pages"]),
        ("Control", topology["control_url"], f"token in {_short(state, 'control.json')}"),
        ("API keys", _short(state, "client-keys.json"), ""),
    ]
    width = max(len(label) for label, _, _ in rows)
    for label, address, remark in rows:
        screen.line(Text.assemble(f"  {label:<{width}}  ", (address, "cyan"), f"  {remark}" if remark else ""))
    show_programs(screen, topology["programs"])


def show_programs(screen: Screen, programs: Sequence[Mapping[str, str]]) -> None:
    """Which of those that are not ours take part, and what serves instead of the others."""
    if programs:
        screen.line()
    for each in programs:
        screen.line(f"  {each['name']:<{len(max(PROGRAMS, key=len))}}  {each['file'] or each['instead']}", style="dim")


def _detached(request: Request, screen: Screen) -> None:
    state = request.folder
    if state.is_locked():
        control = state.control()
        raise AlreadyRunningError(state.path, control.address if control else "", control.pid if control else None)
    launched = Launched(request, lifeline=False)
    progress = DetachedProgress(screen)
    try:
        client = launched.await_ready(progress)
    except BaseException:
        launched.stop()  # also on Ctrl-C: what is half started must not be left behind
        raise
    slowest = max(each["ready_after_s"] or 0.0 for each in client.processes())
    show_addresses(screen, client.topology(), state, slowest)
    screen.line(f"\nIt runs on as pid {launched.pid}; `{_command_to_end(state)}` ends it.", style="bold")
    launched.close()


def _command_to_end(state: StateFolder) -> str:
    usual = StateFolder(Path(os.environ.get(ENVIRONMENT_KEY, default_folder()))).path
    return "faultline down" if state.path == usual else f"faultline down --state {shlex.quote(str(state.path))}"


class DetachedProgress:
    """Shows, of a supervisor in another process, who has become ready since the last look, or was given up."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._shown: set[str] = set()

    def __call__(self, processes: list[dict[str, Any]]) -> None:
        for each in processes:
            if (event := _settled(each)) and each["instance"] not in self._shown:
                self._shown.add(each["instance"])
                self._screen.line(_marked(event))


def _settled(process: Mapping[str, Any]) -> events.Event | None:
    """What became of its start; None while that is open."""
    if process["state"] == State.FAILED:
        return events.Failed(process["instance"], process["detail"], process["exit_code"])
    if process["ready_after_s"] is not None:
        return events.Ready(process["instance"], process["ready_after_s"], again=False)
    return None


def _marked(event: events.Event) -> Text:
    good = isinstance(event, events.Ready | events.Resumed) or (isinstance(event, events.Stopped) and not event.forced)
    mark, style = ("✓", "green") if good else ("!", "yellow")
    return Text.assemble("  ", (mark, style), f" {event}")


def _stopping(reason: str) -> str:
    hint = " Ctrl-C again ends it at once." if reason == "SIGINT" else ""
    return f"{reason or 'Start failed'}: every process finishes what it has begun.{hint}"


def _short(state: StateFolder, name: str) -> str:
    return str(state.path / name)

"""`faultline fault`: sets faults by hand, shows them, and takes them back."""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any, Final

import click

from chaos.control import (
    INJECTED_KINDS,
    SUPERVISED_KINDS,
    AwayError,
    ControlError,
    Fault,
    HttpFaultControl,
    ProcessControl,
    ProcessState,
    RefusedError,
    UnknownTargetError,
    process_control,
)
from chaos.control import target as targets
from chaos.options import NumberRange
from deploy.cli.common import running, system_option
from deploy.cli.fault_options import baggage, duration, fault, parameter_options
from deploy.errors import DeployError, UsageError
from deploy.supervisor.state import StateFolder

_KINDS: Final = (*INJECTED_KINDS, *SUPERVISED_KINDS)
_EXIT_CODES: Final = {401: os.EX_NOPERM, 403: os.EX_NOPERM, 404: os.EX_NOINPUT, 422: os.EX_USAGE}

_json_option = click.option("--json", "as_json", is_flag=True, help="As JSON.")


class FaultFailedError(DeployError):
    """The system did not do what was asked; the code says whose turn it is."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


@click.group("fault", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Break the running system by hand, for a while."""


@command.command("add")
@click.argument("service")
@click.option("--kind", type=click.Choice(_KINDS), required=True, metavar="KIND", help=f"One of {', '.join(_KINDS)}.")
@parameter_options
@click.option("--percent", type=NumberRange(0, 100, min_open=True), metavar="P", help="Only so many requests.")
@click.option("--route", metavar="R", help='Only one operation: "POST /v1/orders", or an rpc method, Authorize.')
@click.option(
    "--baggage", callback=baggage, metavar="K=V", help="Only requests with this baggage; K is faultline.NAME."
)
@click.option("--ttl", callback=duration, metavar="TIME", help="Gone after this: 60s, 500ms, 2m. Must be given.")
@click.option("--experiment", default="manual", show_default=True, metavar="NAME", help="What metrics call it.")
@_json_option
@system_option
def add(state: StateFolder, as_json: bool, **options: Any) -> None:
    """Injects a fault into SERVICE, in all its replicas: a service, one replica (payments-2), a database (payments-db)."""
    wanted = fault(options)
    with _told():
        if wanted.kind in SUPERVISED_KINDS:
            _show_processes(_supervised(process_control(_target(state)), wanted), wanted, as_json=as_json)
        else:
            _show_added(HttpFaultControl(_target(state)), wanted, as_json=as_json)


@command.command("list")
@_json_option
@system_option
def show(state: StateFolder, as_json: bool) -> None:
    """Shows the faults in force, and the processes that are held down or paused."""
    with _told():
        found, processes = HttpFaultControl(_target(state)).in_force(), process_control(_target(state)).states()
    if as_json:
        held = [asdict(each) for each in processes if each.state != "ready"]
        _print_json({**asdict(found), "processes": held})
        return
    from deploy.cli.fault_view import show_all  # noqa: PLC0415 -- with rich, which JSON does not need

    show_all(found, processes)


@command.command("clear")
@click.argument("fault_id", metavar="[ID]", required=False)
@click.option("--all", "everything", is_flag=True, help="All faults, and whoever is held down or paused.")
@_json_option
@system_option
def clear(state: StateFolder, fault_id: str | None, everything: bool, as_json: bool) -> None:
    """Takes back the fault ID, or all."""
    if bool(fault_id) == everything:
        raise UsageError("say which: `faultline fault clear ID` (see `faultline fault list`), or --all")
    with _told():
        removed, healed = _cleared(state, fault_id) if fault_id else _all_cleared(state)
    if as_json:
        _print_json({"removed": removed, "healed": [each.instance for each in healed]})
        return
    names = f"; {', '.join(each.instance for each in healed)} healed" if healed else ""
    click.echo(f"Taken back from {removed} {'process' if removed == 1 else 'processes'}{names}.")


def _target(state: StateFolder) -> targets.Target:
    running(state)  # says so if none does; a file left behind by a killed supervisor would not
    return targets.read(state.path)


def _supervised(control: ProcessControl, wanted: Fault) -> Sequence[ProcessState]:
    act: dict[str, Callable[[], Sequence[ProcessState]]] = {
        "kill": lambda: control.kill(wanted.service, wanted.ttl_s),
        "pause": lambda: control.pause(wanted.service, wanted.ttl_s),
        "restart": lambda: control.restart(wanted.service),
    }
    return act[wanted.kind]()


def _show_processes(done: Sequence[ProcessState], wanted: Fault, *, as_json: bool) -> None:
    if as_json:
        _print_json({"processes": [asdict(each) for each in done]})
        return
    words = {
        "kill": f"killed, starts again after {wanted.ttl_s:g} s",
        "pause": f"paused, goes on after {wanted.ttl_s:g} s",
        "restart": "ends in order and starts again",
    }
    for each in done:
        click.echo(f"{each.instance} (pid {each.pid}) {words[wanted.kind]}")


def _show_added(control: HttpFaultControl, wanted: Fault, *, as_json: bool) -> None:
    added = control.add(wanted)
    if as_json:
        _print_json({"faults": [asdict(each) for each in added]})
        return
    from deploy.cli.fault_view import told  # noqa: PLC0415 -- with rich, which JSON does not need

    click.echo(f"{told(added[0])}, in {', '.join(each.instance for each in added)}")
    click.echo(f"Gone in {wanted.ttl_s:g} s; earlier with `faultline fault clear {added[0].fault_id}`.")


def _cleared(state: StateFolder, fault_id: str) -> tuple[int, Sequence[ProcessState]]:
    control = HttpFaultControl(_target(state))
    found = control.in_force().faults
    service = next((each.service for each in found if each.fault_id == fault_id), "")
    removed = control.remove(fault_id, service)
    if not removed:
        known = ", ".join(dict.fromkeys(each.fault_id for each in found))
        raise FaultFailedError(
            f"there is no fault {fault_id!r}; there is {known}" if known else "there is no fault", os.EX_NOINPUT
        )
    return removed, ()


def _all_cleared(state: StateFolder) -> tuple[int, Sequence[ProcessState]]:
    """Processes first, as who is paused does not answer; who is only now starting has no faults any more."""
    faults, processes = HttpFaultControl(_target(state)), process_control(_target(state))
    healed = processes.heal()
    before = len(faults.in_force().faults)
    try:
        return faults.clear(), healed
    except AwayError as exc:
        if exc.where not in {each.instance for each in healed}:
            raise
        return before, healed


@contextmanager
def _told() -> Iterator[None]:
    """What goes wrong outside of us, as an error of the command."""
    try:
        yield
    except UnknownTargetError as exc:
        raise UsageError(str(exc)) from exc
    except RefusedError as exc:
        raise FaultFailedError(str(exc), _EXIT_CODES.get(exc.status, os.EX_UNAVAILABLE)) from exc
    except ControlError as exc:
        raise FaultFailedError(str(exc), os.EX_UNAVAILABLE) from exc


def _print_json(document: object) -> None:
    click.echo(json.dumps(document, indent=2))

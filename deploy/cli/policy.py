"""`faultline policy`: shows the policies of every edge, and switches them."""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Final

import click

from chaos.control import target as targets
from chaos.control.errors import ControlError, RefusedError, UnknownTargetError
from chaos.control.policies import HttpPolicyControl
from chaos.control.policy import EdgePolicies
from chaos.toolkit.baseline import Baseline, Note
from deploy.cli.common import running, system_option
from deploy.errors import DeployError, UsageError
from deploy.supervisor.state import StateFolder

_EXIT_CODES: Final = {401: os.EX_NOPERM, 422: os.EX_USAGE}
_SWITCHES: Final = {"on": True, "off": False}

_json_option = click.option("--json", "as_json", is_flag=True, help="As JSON.")


class PolicyFailedError(DeployError):
    """The system did not do what was asked; the code says whose turn it is."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


@click.group("policy", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """See and switch what stands between callers and their peers."""


@command.command("list")
@_json_option
@system_option
def show(state: StateFolder, as_json: bool) -> None:
    """Shows every edge: its preset, the policies in force, and what state they are in."""
    with _told():
        target = _target(state)
        found = HttpPolicyControl(target).show()
    if as_json:
        click.echo(json.dumps(asdict(found), indent=2))
        return
    from deploy.cli.policy_view import show_all  # noqa: PLC0415 -- with rich, which JSON does not need

    show_all(found)
    if chosen := Note(state.path, target.token).read():
        click.echo(_by_experiment(chosen))


@command.command("set")
@click.argument("edge", metavar="CALLER/CALLEE")
@click.argument("wanted", metavar="PRESET | POLICY=on|off ...", nargs=-1, required=True)
@_json_option
@system_option
def switch(state: StateFolder, edge: str, wanted: tuple[str, ...], as_json: bool) -> None:
    """Puts a preset in force on an edge, or turns single policies on or off, in all replicas of the caller.

    Presets: off, timeouts, retries, budgeted, breaker, full.
    """
    caller, slash, callee = edge.partition("/")
    if not (caller and slash and callee):
        raise UsageError(f"{edge!r} is no edge such as orders/payments; see `faultline policy list`")
    switches = _switches(wanted)
    with _told():
        control = _control(state)
        done = control.turn(caller, callee, switches) if switches else control.use(caller, callee, wanted[0])
    if as_json:
        click.echo(json.dumps([asdict(each) for each in done], indent=2))
    else:
        _tell(done)


def _switches(wanted: Sequence[str]) -> dict[str, bool]:
    """The switches among the words; none where they are one word, a preset."""
    pairs = [each.partition("=") for each in wanted]
    if len(wanted) == 1 and not pairs[0][1]:
        return {}
    for name, equals, value in pairs:
        if not equals or value not in _SWITCHES:
            raise UsageError(f"{name}{equals}{value}: give one preset, or policies such as breaker=off retry=on")
    return {name: _SWITCHES[value] for name, _, value in pairs}


def _tell(done: Sequence[EdgePolicies]) -> None:
    for each in done:
        click.echo(f"{each.edge} in {each.instance}: {each.preset} ({', '.join(each.in_force) or 'nothing'})")


def _by_experiment(chosen: Sequence[Baseline]) -> str:
    edges = sorted({each.edge for each in chosen})
    return (
        f"An experiment chose the policies of {', '.join(edges)}. It puts them back when it ends; if it was killed, the next "
        "experiment does, or `faultline policy set`."
    )


def _control(state: StateFolder) -> HttpPolicyControl:
    return HttpPolicyControl(_target(state))


def _target(state: StateFolder) -> targets.Target:
    running(state)  # says so if none does; a file left behind by a killed supervisor would not
    return targets.read(state.path)


@contextmanager
def _told() -> Iterator[None]:
    """What goes wrong outside of us, as an error of the command."""
    try:
        yield
    except UnknownTargetError as exc:
        raise UsageError(str(exc)) from exc
    except RefusedError as exc:
        raise PolicyFailedError(str(exc), _EXIT_CODES.get(exc.status, os.EX_UNAVAILABLE)) from exc
    except ControlError as exc:
        raise PolicyFailedError(str(exc), os.EX_UNAVAILABLE) from exc

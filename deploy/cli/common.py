"""What the commands share: which system is meant, and reaching it while it runs."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import click
from click.core import ParameterSource

from deploy.compose.containers import Containers
from deploy.errors import NotRunningError
from deploy.supervisor.client import SupervisorClient
from deploy.supervisor.launch import connect
from deploy.supervisor.state import ENVIRONMENT_KEY, StateFolder, default_folder

F = TypeVar("F", bound=Callable[..., Any])

_COMPOSE: Final = "compose"
_COMPOSE_FOLDER: Final = ".faultline-compose"
_CHOSEN: Final = f"{__name__}.compose"


def state_option(command: F) -> F:
    """Adds `--state DIR`; the command gets `state: StateFolder`."""
    return click.option(
        "--state",
        metavar="DIR",
        type=click.Path(readable=False, path_type=Path),  # what is wrong with it, the state folder says itself
        default=default_folder,
        callback=_folder,
        envvar=ENVIRONMENT_KEY,
        show_envvar=True,
        help="State folder.  [default: .faultline in the checkout]",
    )(command)


def system_option(command: F) -> F:
    """As `state_option`, for what can be done with a system in containers too: adds `--target`."""
    return click.option(
        "--target",
        type=click.Choice(["local", _COMPOSE]),
        default="local",
        show_default=True,
        expose_value=False,
        is_eager=True,
        callback=_remember,
        help="The system that `faultline up` runs, or that of `docker compose up`.",
    )(state_option(command))


def _remember(ctx: click.Context, _: click.Parameter, target: str) -> None:
    ctx.meta[_CHOSEN] = target == _COMPOSE


def _folder(ctx: click.Context, _: click.Parameter, path: Path) -> StateFolder:
    if not ctx.meta.get(_CHOSEN):
        return StateFolder(path)
    if ctx.get_parameter_source("state") is ParameterSource.COMMANDLINE:
        raise click.UsageError("--target compose has a state folder of its own: give no --state.")
    return StateFolder(default_folder(_COMPOSE_FOLDER))


@dataclass(frozen=True)
class Running:
    """A system that runs: who knows its processes, and the content of its topology.json."""

    supervisor: SupervisorClient | Containers
    topology: dict[str, Any]


def running(state: StateFolder) -> Running:
    """The system on this state folder. Raises NotRunningError."""
    client = Containers.of(state) or connect(state)
    if client is None:
        raise NotRunningError(state.path, *(["docker compose up -d"] if state.path.name == _COMPOSE_FOLDER else []))
    return Running(client, client.topology())

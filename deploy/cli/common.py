"""What the commands share: the state folder's option, and reaching the running system."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from deploy.errors import NotRunningError
from deploy.supervisor.client import SupervisorClient
from deploy.supervisor.launch import connect
from deploy.supervisor.state import ENVIRONMENT_KEY, StateFolder, default_folder

F = TypeVar("F", bound=Callable[..., Any])


def state_option(command: F) -> F:
    """Adds `--state DIR`; the command gets `state: StateFolder`."""
    return click.option(
        "--state",
        metavar="DIR",
        type=click.Path(readable=False, path_type=Path),  # what is wrong with it, the state folder says itself
        default=default_folder,
        callback=lambda _ctx, _parameter, path: StateFolder(path),
        envvar=ENVIRONMENT_KEY,
        show_envvar=True,
        help="State folder.  [default: .faultline in the checkout]",
    )(command)


@dataclass(frozen=True)
class Running:
    """A system that runs: its supervisor's client and the content of its topology.json."""

    supervisor: SupervisorClient
    topology: dict[str, Any]


def running(state: StateFolder) -> Running:
    """The system on this state folder. Raises NotRunningError."""
    client = connect(state)
    if client is None:
        raise NotRunningError(state.path)
    return Running(client, client.topology())

"""`faultline down`: ends the system."""

import click

from deploy.cli.common import state_option
from deploy.cli.screen import Screen
from deploy.supervisor import launch, leftovers
from deploy.supervisor.state import StateFolder

_PATIENCE_S = 120.0
_LEFTOVERS_S = 15.0


@click.command("down")
@state_option
def command(state: StateFolder) -> None:
    """End the system, letting every process finish what it has begun, and return when it is gone."""
    screen = Screen()
    ended = launch.end(state, _PATIENCE_S)
    left = leftovers.end(state, _LEFTOVERS_S)
    if ended:
        screen.line("Ended; nothing is left.")
    elif left:
        screen.line(f"The supervisor was gone already; its {left} processes have ended now.")
    else:
        screen.line(f"Nothing runs (state folder {state.path}).")

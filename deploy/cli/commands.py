"""The table of subcommands, and the group that imports one when it is asked for."""

import importlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import click

COMMANDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "up": "Start the system; Ctrl-C ends it.",
        "down": "End the system and wait until it is gone.",
        "status": "Show the processes with state, ports, memory and event loop lag.",
        "logs": "Show what the processes log.",
        "trace": "Show a trace as a waterfall: the newest, the newest that failed, or one by id.",
        "fault": "Break the running system by hand, for a while: add, list, clear.",
        "alerts": "Show objectives, what is left of their budgets, alerts, and who was told.",
        "policy": "See and switch what stands between callers and their peers: list, set.",
        "load": "Send requests, as customers would.",
        "verify": "Prove that nothing was lost, doubled or forgotten.",
        "chaos": "Run experiments, and see what a fault does.",
    }
)
"""Name → one line of help. The command `x` is `command` in `deploy/cli/x.py`."""


class LazyGroup(click.Group):
    """A group whose help needs no subcommand to be imported."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 -- click's
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"deploy.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 -- click's
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

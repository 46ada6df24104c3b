"""`faultline verify`: proves the invariants from what the services stored, while the system runs or afterwards."""

import asyncio
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

from chaos.invariants import (
    Acknowledged,
    InvariantsError,
    Report,
    databases_in,
    parse_address,
    read_acknowledged,
    verify,
)
from chaos.invariants.stores import Databases
from chaos.invariants.table import report_view
from chaos.options import NumberRange
from deploy.cli.common import system_option
from deploy.cli.screen import console
from deploy.errors import DeployError, UsageError
from deploy.supervisor.state import StateFolder, read_json

_LOOKS: Final = 4
_BETWEEN_LOOKS_S: Final = 1.0


class NothingProvenError(DeployError):
    """There was nothing that could be checked."""

    exit_code = os.EX_NOINPUT


@click.command("verify")
@click.option(
    "--acknowledged", "file", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
    help="What clients were told, as `faultline load --record` writes it: each such order must exist, exactly once.",
)  # fmt: skip
@click.option(
    "--max-pending", type=NumberRange(min=0), default=60.0, show_default=True, metavar="SECONDS",
    help="How long an order may be pending.",
)  # fmt: skip
@click.option("--database", "addresses", multiple=True, metavar="NAME=URL", help="A store elsewhere than `up` put it.")
@click.option("--json", "as_json", is_flag=True, help="The report as JSON, with every violation.")
@system_option
def command(
    state: StateFolder, file: Path | None, max_pending: float, addresses: tuple[str, ...], as_json: bool
) -> int:
    """Prove that nothing was lost, doubled or forgotten: orders, goods and money agree.

    Reads the services' databases, changing nothing. Exit code 0: all holds; 1: something is wrong, and what; 66: there
    was nothing that could be checked.
    """
    databases = {**_stores(state), **dict(map(_address, addresses))}
    try:
        told = read_acknowledged(file) if file else ()
        report = asyncio.run(_settled(databases, told, max_pending))
    except InvariantsError as exc:
        raise NothingProvenError(f"{exc} (state folder {state.path})") from exc
    if as_json:
        click.echo(json.dumps(report.as_dict(), indent=2))
    else:
        console().print(report_view(report))
    return 0 if report.ok else 1


def _address(text: str) -> tuple[str, str]:
    try:
        return parse_address(text)
    except ValueError as exc:
        raise UsageError(f"--database {exc}") from exc


def _stores(state: StateFolder) -> Databases:
    """Where the system that last ran with this folder keeps its data."""
    return read_json(state.stores_file) or databases_in(state.path)


async def _settled(databases: Databases, told: Sequence[Acknowledged], max_pending_s: float) -> Report:
    """What is still wrong after some looks: in a system that runs, what is under way looks wrong for a moment."""

    async def look() -> Report:
        return await verify(databases, told, now_us=time.time_ns() // 1000, max_pending_s=max_pending_s)

    report = await look()
    for _ in range(_LOOKS - 1):
        if report.ok or not report.moving:
            break
        await asyncio.sleep(_BETWEEN_LOOKS_S)
        report = (await look()).also_in(report)
    return report

"""`python -m chaos.invariants`: checks a finished run.

Exit codes: 0 every invariant holds, 1 some are broken, 66 (EX_NOINPUT) there was nothing that could be checked.
"""

import asyncio
import json
import os
import time
from pathlib import Path

import click
from rich.console import Console

from chaos.invariants.acknowledged import read_acknowledged
from chaos.invariants.errors import InvariantsError
from chaos.invariants.report import Report
from chaos.invariants.stores import Databases, databases_in, parse_address
from chaos.invariants.table import report_view
from chaos.invariants.verification import verify
from chaos.options import NumberRange


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--state", type=click.Path(path_type=Path), metavar="DIR", help="State folder of the system that ran.")
@click.option(
    "--database", "addresses", multiple=True, metavar="NAME=URL", help="A store elsewhere than in the state folder."
)
@click.option(
    "--acknowledged",
    "file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="What clients were told, as JSON lines.",
)
@click.option(
    "--max-pending",
    type=NumberRange(min=0),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="How long an order may be pending.",
)
@click.option("--json", "as_json", is_flag=True, help="The report as JSON, instead of tables.")
def main(state: Path | None, addresses: tuple[str, ...], file: Path | None, max_pending: float, as_json: bool) -> None:
    """Prove the invariants of a finished run from its databases, which are only read."""
    databases: Databases = {**(databases_in(state) if state else {}), **dict(map(_address, addresses))}
    try:
        report = asyncio.run(_verified(databases, file, max_pending))
    except InvariantsError as exc:
        click.echo(f"invariants: {exc}", err=True)
        raise SystemExit(os.EX_NOINPUT) from exc
    show(report, as_json=as_json)
    raise SystemExit(0 if report.ok else 1)


def show(report: Report, *, as_json: bool) -> None:
    """Prints the report."""
    if as_json:
        click.echo(json.dumps(report.as_dict(), indent=2))
    else:
        Console(highlight=False).print(report_view(report))


async def _verified(databases: Databases, file: Path | None, max_pending_s: float) -> Report:
    told = read_acknowledged(file) if file else ()
    return await verify(databases, told, now_us=time.time_ns() // 1000, max_pending_s=max_pending_s)


def _address(text: str) -> tuple[str, str]:
    try:
        return parse_address(text)
    except ValueError as exc:
        raise click.UsageError(f"--database {exc}") from exc


if __name__ == "__main__":
    main(prog_name="python -m chaos.invariants")

"""`faultline load`: sends requests to the running system, open-loop, and shows what became of them."""

import asyncio
import json
import os
import secrets
import signal
from collections.abc import Sequence

import click
from rich.console import Console
from rich.live import Live

from chaos.load import LoadError, LoadPlan, LoadReport, PlanError, fetch_product_ids, run_load
from chaos.load.table import generator_line, summary_table
from deploy.cli.common import running, state_option
from deploy.cli.screen import console
from deploy.errors import DeployError, StateError, UsageError
from deploy.supervisor import keys
from deploy.supervisor.state import StateFolder

_INTERRUPTED = 130


class LoadFailedError(DeployError):
    """The load could not be sent at all."""

    exit_code = os.EX_UNAVAILABLE


@click.command("load")
@click.option("--rps", type=float, default=10.0, show_default=True, metavar="N", help="Requests per second.")
@click.option("--duration", type=float, default=30.0, show_default=True, metavar="SECONDS", help="For how long.")
@click.option("--seed", type=int, default=1, show_default=True, metavar="N", help="Equal seeds send equal requests.")
@click.option("--json", "as_json", is_flag=True, help="The report as JSON, instead of the table.")
@state_option
def command(state: StateFolder, rps: float, duration: float, seed: int, as_json: bool) -> int:
    """Send requests as customers would: browse, check out, be declined, ask for too much. Ctrl-C ends it early."""
    gateway_url = running(state).topology["gateway_url"]
    screen = Console(quiet=True) if as_json else console()
    try:
        report = asyncio.run(_send(gateway_url, _users(state), rps, duration, seed, screen))
    except PlanError as exc:
        raise UsageError(str(exc)) from exc
    except LoadError as exc:
        raise LoadFailedError(f"{exc}; see `faultline status`") from exc
    if as_json:
        click.echo(json.dumps(report.as_dict(), indent=2))
    else:
        screen.print(generator_line(report))
    return _INTERRUPTED if report.stopped_early else 0


async def _send(
    gateway_url: str, users: Sequence[str], rps: float, duration: float, seed: int, screen: Console
) -> LoadReport:
    products = await fetch_product_ids(gateway_url, users[0])
    # Another id for each run: the system would answer a repeated checkout from memory.
    plan = LoadPlan(rps, duration, seed, products, users=len(users), run_id=secrets.token_hex(4))
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stop.set)
    shown = _Shown(screen)
    with shown:
        report = await run_load(plan, gateway_url, users, shown.update, stop=stop)
        shown.update(report)
    return report


class _Shown:
    """The report as it grows, on a terminal; elsewhere once, at the end."""

    def __init__(self, screen: Console) -> None:
        self._screen = screen
        self._live = Live(console=screen, auto_refresh=False) if screen.is_terminal else None

    def __enter__(self) -> None:
        if self._live:
            self._live.start()

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()

    def update(self, report: LoadReport) -> None:
        if self._live:
            self._live.update(summary_table(report), refresh=True)
        elif report.finished:
            self._screen.print(summary_table(report))


def _users(state: StateFolder) -> list[str]:
    """The keys of the load generator's users. Raises StateError."""
    users = [each.key for each in keys.of_client(keys.read(state), "load")]
    if not users:
        raise StateError(f"{state.client_keys_file}: no keys for load; `faultline down`, delete it, `faultline up`")
    return users

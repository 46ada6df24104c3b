"""`faultline load`: sends requests to the running system, open-loop, and shows what became of them."""

import asyncio
import json
import os
import secrets
import signal
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.live import Live

from chaos.load import (
    DEFAULT_MIX,
    SHAPES,
    Kind,
    LoadError,
    LoadPlan,
    LoadReport,
    Mix,
    PlanError,
    fetch_product_ids,
    parse_mix,
    run_load,
)
from chaos.load.table import generator_line, summary_table
from chaos.options import Number
from chaos.recording import Recorder
from deploy.cli.common import running, system_option
from deploy.cli.screen import console
from deploy.errors import DeployError, StateError
from deploy.supervisor import keys
from deploy.supervisor.keys import ClientKey
from deploy.supervisor.state import StateFolder

_INTERRUPTED = 130
_OPTIONS = {"duration_s": "duration", "zipf_exponent": "zipf", "rps x duration": "rps and --duration"}


class LoadFailedError(DeployError):
    """The load could not be sent at all."""

    exit_code = os.EX_UNAVAILABLE


@dataclass(frozen=True)
class _Wanted:
    """What was asked for; `users` None: all there are keys for."""

    rps: float
    duration: float
    shape: str
    mix: Mix
    users: int | None
    zipf: float
    seed: int
    record: Path | None

    def plan(self, products: tuple[str, ...], keys: int) -> LoadPlan:
        # Another id for each run: the system would answer a repeated checkout from memory.
        return LoadPlan(
            self.rps,
            self.duration,
            self.seed,
            products,
            run_id=secrets.token_hex(4),
            users=keys if self.users is None else self.users,
            shape=self.shape,
            mix=self.mix,
            zipf_exponent=self.zipf,
        )


def _mix(_ctx: click.Context, _parameter: click.Parameter, text: str | None) -> Mix:
    try:
        return parse_mix(text) if text is not None else DEFAULT_MIX
    except PlanError as exc:
        raise click.UsageError(f"--{exc}.") from exc


@click.command("load", epilog=f"Kinds of requests: {', '.join(f'{kind}={DEFAULT_MIX[kind]:g}' for kind in Kind)}.")
@click.option(
    "--rps", type=Number(), default=10.0, show_default=True, metavar="N", help="Requests per second, at most."
)
@click.option("--duration", type=Number(), default=30.0, show_default=True, metavar="SECONDS", help="For how long.")
@click.option(
    "--shape",
    type=click.Choice(list(SHAPES)),
    default="constant",
    show_default=True,
    help="How the rate goes: as it is, growing from a tenth, or five times as high for a fifth of the time.",
)
@click.option("--mix", callback=_mix, metavar="KIND=WEIGHT,...", help="What is sent, such as `browse=5,checkout=3`.")
@click.option("--users", type=int, metavar="N", help="How many customers it is.  [default: all that have keys, 20]")
@click.option(
    "--zipf",
    type=Number(),
    default=1.0,
    show_default=True,
    metavar="S",
    help="How skewed popularity is; 0: not at all.",
)
@click.option("--seed", type=int, default=1, show_default=True, metavar="N", help="Equal seeds send equal requests.")
@click.option(
    "--record", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
    help="Append what was said of each order, for `faultline verify --acknowledged`.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="The report as JSON, instead of the table.")
@system_option
def command(state: StateFolder, as_json: bool, **wanted: Any) -> int:
    """Send requests as customers would: browse, check out, be declined, ask for too much. Ctrl-C ends it early.

    They leave when their time has come, whether or not those before were answered; latency counts from then on.
    """
    gateway_url = running(state).topology["gateway_url"]
    screen = Console(quiet=True) if as_json else console()
    try:
        report = asyncio.run(_send(gateway_url, _users(state), _Wanted(**wanted), screen))
    except PlanError as exc:
        raise click.UsageError(_as_options(str(exc))) from exc
    except LoadError as exc:
        raise LoadFailedError(f"{exc}; see `faultline status`") from exc
    if as_json:
        click.echo(json.dumps(report.as_dict(), indent=2))
    else:
        screen.print(generator_line(report))
    return _INTERRUPTED if report.stopped_early else 0


async def _send(gateway_url: str, users: Sequence[ClientKey], wanted: _Wanted, screen: Console) -> LoadReport:
    wanted.plan(("none",), len(users))  # what cannot be is refused before anything is sent
    products = await fetch_product_ids(gateway_url, users[0].key)
    plan, shown, stop = wanted.plan(products, len(users)), _Shown(screen), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stop.set)
    with _recorder(wanted.record, users) as on_result, shown:
        keys = [each.key for each in users]
        report = await run_load(plan, gateway_url, keys, shown.update, on_result=on_result, stop=stop)
        shown.update(report)
    return report


def _as_options(text: str) -> str:
    """The plan's words with the names that its fields have here: `duration_s: 0 is …` → `--duration: 0 is …`."""
    name, colon, rest = text.partition(":")
    return f"--{_OPTIONS.get(name, name)}{colon}{rest}."


def _recorder(file: Path | None, users: Sequence[ClientKey]) -> AbstractContextManager[Recorder | None]:
    return Recorder(file, [each.user_id for each in users]) if file else nullcontext()


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


def _users(state: StateFolder) -> tuple[ClientKey, ...]:
    """The keys of the load generator's users. Raises StateError."""
    users = keys.of_client(keys.read(state), "load")
    if not users:
        raise StateError(f"{state.client_keys_file}: no keys for load; `faultline down`, delete it, `faultline up`")
    return users

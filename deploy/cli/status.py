"""`faultline status`: the processes at this moment."""

import json
from typing import Any, Final

import click
from rich.table import Table
from rich.text import Text

from deploy.cli.common import Running, running, system_option
from deploy.cli.health import event_loop_lags
from deploy.cli.screen import console, duration, size, span_of_time, visible
from deploy.supervisor.state import StateFolder

_STYLES: Final = {"ready": "green", "failed": "bold red", "waiting": "red", "stopped": "dim"}
_OTHER_STYLE: Final = "yellow"
_WIDE: Final = 110


@click.command("status")
@click.option("--json", "as_json", is_flag=True, help="The same as JSON.")
@system_option
def command(state: StateFolder, as_json: bool) -> None:
    """Show the processes with state, pid, ports, memory, event loop lag, restarts and uptime.

    The lag is how late the process runs what is due; it is blank for one that does not answer.
    """
    system = running(state)
    overview = system.supervisor.overview()
    lags = event_loop_lags(system.topology["processes"])
    overview["processes"] = [{**each, "event_loop_lag_s": lags[each["instance"]]} for each in overview["processes"]]
    if as_json:
        click.echo(json.dumps({"state": str(state.path), "topology": system.topology, **overview}, indent=2))
    else:
        show(system, overview)


def show(system: Running, overview: dict[str, Any]) -> None:
    """The table, who is not ready and why, and the supervisor."""
    screen = console()
    screen.print(_table(overview["processes"], wide=screen.width >= _WIDE))
    for line in _details(overview["processes"]):
        screen.print(line, style="dim", soft_wrap=True)
    own = overview["supervisor"]
    if own["pid"] is None:
        screen.print(f"\n{own['status']}: {system.topology['control_url']}", soft_wrap=True)
        return
    processes = [*overview["processes"], own]
    total, kind = sum(each["memory_bytes"] or 0 for each in processes), own["memory_kind"]
    screen.print(f"\n{own['status']}; supervisor: pid {own['pid']}, {system.topology['control_url']}", soft_wrap=True)
    screen.print(f"Memory ({kind.upper()}): {size(total)}, of it the supervisor {size(own['memory_bytes'])}")


def _table(processes: list[dict[str, Any]], *, wide: bool) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2 if wide else 1, 0, 0))
    for name in ("process", "state"):
        table.add_column(name, no_wrap=True)
    table.add_column("pid", justify="right", no_wrap=True)
    table.add_column("ports", no_wrap=wide)
    for name in ("memory", "lag", "restarts", "up"):
        table.add_column(name, justify="right", no_wrap=True)
    for each in processes:
        table.add_row(*_row(each, wide=wide))
    return table


def _details(processes: list[dict[str, Any]]) -> list[str]:
    """Why somebody is not ready, a line each."""
    return [f"{each['instance']}: {visible(each['detail'])}" for each in processes if each["detail"]]


def _row(process: dict[str, Any], *, wide: bool) -> list[str | Text]:
    return [
        process["instance"],
        Text(process["state"], _STYLES.get(process["state"], _OTHER_STYLE)),
        str(process["pid"] or ""),
        _ports(process["ports"], wide=wide),
        size(process["memory_bytes"]),
        duration(process["event_loop_lag_s"]),
        str(process["restarts"]),
        span_of_time(process["uptime_s"]),
    ]


def _ports(ports: dict[str, int], *, wide: bool) -> str:
    """`http 8080  admin 9080` where there is room, else `8080 9080`."""
    if not wide:
        return " ".join(map(str, ports.values()))
    return "  ".join(f"{name.removesuffix('_PORT').lower()} {port}" for name, port in ports.items())

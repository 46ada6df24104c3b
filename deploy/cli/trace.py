"""`faultline trace`: one trace, as a waterfall in the terminal, as Jaeger's JSON, or as a page."""

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from deploy.cli.common import Running, running, system_option
from deploy.cli.fault_options import duration
from deploy.cli.trace_query import JaegerTrace, Wanted, by_id, newest, newest_checkout
from deploy.compose.containers import Containers
from deploy.errors import ControlError, StateError, UsageError
from deploy.supervisor.client import SupervisorClient
from deploy.supervisor.state import StateFolder

if TYPE_CHECKING:
    from observability.embedded.span_logs import TraceLogs

_TRACE_ID: Final = re.compile(r"[0-9a-f]{1,32}")


@click.command("trace")
@click.argument("trace_id", metavar="[ID]", required=False)
@click.option("--service", metavar="NAME", default="", help="The newest that this service took part in.")
@click.option("--errors", is_flag=True, help="The newest in which something failed.")
@click.option(
    "--min-duration",
    "min_duration_s",
    metavar="TIME",
    callback=duration,
    help="The newest that lasted so long: 200ms, 2s.",
)
@click.option(
    "--fault", metavar="NAME", default="", help="The newest with this fault: a kind, an id, an experiment, or any."
)
@click.option("--json", "as_json", is_flag=True, help="As Jaeger's query API answers it.")
@click.option("--html", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help="Write it as a page.")
@click.option("--all", "everything", is_flag=True, help="With every SQL statement.")
@system_option
def command(
    state: StateFolder,
    trace_id: str | None,
    as_json: bool,
    html: Path | None,
    everything: bool,
    **conditions: str | bool | float | None,
) -> None:
    """Show a trace as a waterfall: ID, or the newest that fulfils all conditions, or the newest checkout's."""
    wanted = Wanted(**conditions)  # type: ignore[arg-type]  # the options' names are the fields'
    if trace_id and str(wanted):
        raise UsageError(f"trace: an ID is one trace already; leave out {wanted}")
    chosen = _valid(trace_id) if trace_id else ""
    system = running(state)
    trace = _found(system.topology["query_url"], chosen, wanted)
    if html:
        _write_page(trace, html, system)
    elif as_json:
        click.echo(json.dumps({"data": [trace]}, indent=2))
    else:
        _show(trace, system.topology["query_url"], everything=everything)


def _found(query_url: str, trace_id: str, wanted: Wanted) -> JaegerTrace:
    if trace_id:
        return by_id(query_url, trace_id)
    return newest(query_url, wanted) if str(wanted) else newest_checkout(query_url)


def _valid(trace_id: str) -> str:
    lowered = trace_id.strip().lower()
    if not _TRACE_ID.fullmatch(lowered):
        raise UsageError(f"trace {trace_id!r}: an id is up to 32 hexadecimal digits, as in the header X-Trace-Id")
    return lowered


def _write_page(trace: JaegerTrace, file: Path, system: Running) -> None:
    from observability.embedded.page import render_self_contained  # noqa: PLC0415 -- for this option alone

    page = render_self_contained(trace, _logs(trace, system.supervisor))
    try:
        file.write_text(page, encoding="utf-8")
    except OSError as exc:
        raise StateError(f"{file}: {exc.strerror}") from exc
    click.echo(file.resolve())


def _logs(trace: JaegerTrace, supervisor: SupervisorClient | Containers) -> "TraceLogs":
    """A container's log lines are Docker's; a page is worth having without them."""
    from observability.embedded.span_logs import NO_LOGS, TraceLogs, log_lines  # noqa: PLC0415 -- for one option alone

    if not isinstance(supervisor, SupervisorClient):
        return NO_LOGS
    try:
        return TraceLogs(tuple(log_lines({"lines": supervisor.logs(trace_id=trace["traceID"].zfill(32))})))
    except ControlError as exc:
        return TraceLogs(problem=str(exc))


def _show(trace: JaegerTrace, query_url: str, *, everything: bool) -> None:
    from deploy.cli.screen import console  # noqa: PLC0415 -- not needed for JSON and pages
    from deploy.cli.waterfall_view import lines  # noqa: PLC0415
    from observability.embedded.waterfall import build  # noqa: PLC0415

    screen = console()
    for line in lines(build(trace), screen.width, everything=everything):
        screen.print(line, no_wrap=True, overflow="crop", crop=True)
    screen.print(f"\n{query_url}/trace/{trace['traceID']}", style="cyan", soft_wrap=True)

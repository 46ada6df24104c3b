"""`faultline logs`: what the processes log. Reads the files, so that it also works when nothing runs any more."""

import json
import re
import time
from collections.abc import Sequence
from typing import Any, Final

import click
from rich.console import Console
from rich.text import Text

from deploy.cli.common import state_option
from deploy.cli.screen import colours, console, visible
from deploy.errors import NotFoundError
from deploy.supervisor import log_reader
from deploy.supervisor.log_reader import LogLine
from deploy.supervisor.state import StateFolder

_LEVELS: Final = {"WARNING": "yellow", "ERROR": "bold red", "CRITICAL": "bold red", "DEBUG": "dim"}
_SHOWN_APART: Final = frozenset(
    {"timestamp", "level", "logger", "message", "trace_id", "span_id", "exception.stacktrace"}
)
_SAME_ON_EVERY_LINE: Final = re.compile(r"service\.|telemetry\.|process\.")
_NUMBER: Final = re.compile(r"-\d+$")
_POLL_S: Final = 0.2


@click.command("logs")
@click.argument("service", required=False)
@click.option("--follow", "-f", is_flag=True, help="Go on with what is being written, until Ctrl-C.")
@click.option("--trace", "trace_id", metavar="ID", default="", help="Only the lines of this trace.")
@click.option(
    "--tail", "-n", type=click.IntRange(1), metavar="N", help="The newest N lines.  [default: 100, of a trace all]"
)
@click.option("--json", "as_json", is_flag=True, help="The lines as they were written.")
@state_option
def command(
    state: StateFolder, service: str | None, follow: bool, trace_id: str, tail: int | None, as_json: bool
) -> None:
    """Show what the processes log, by time: all of them, or SERVICE (`orders`, `orders-1`, `supervisor`)."""
    chosen = _chosen(state, service)
    view = _View(console(), chosen, as_json=as_json)
    follower = log_reader.Follower(state, chosen, trace_id)
    lines = log_reader.read(state, chosen, trace_id, tail or (None if trace_id else 100))
    if trace_id and not (lines or follow):
        raise NotFoundError(f"no line of trace {trace_id!r} in the logs of {', '.join(chosen)}")
    view.show(lines)
    while follow:
        view.show(follower.poll())
        time.sleep(_POLL_S)


def _chosen(state: StateFolder, service: str | None) -> list[str]:
    """Instances by their own name or their service's. Raises NotFoundError naming the valid ones."""
    known = log_reader.instances(state)
    chosen = [each for each in known if service in (None, each, _service(each))]
    if not known:
        raise NotFoundError(f"{state.logs}: no logs yet; start the system with `faultline up`")
    if not chosen:
        raise NotFoundError(f"there is no log of {service!r}; there are {', '.join(known)}")
    return chosen


class _View:
    def __init__(self, screen: Console, instances: Sequence[str], *, as_json: bool) -> None:
        self._screen = screen
        self._as_json = as_json
        self._colours = colours(map(_service, instances))
        self._width = max(map(len, instances))

    def show(self, lines: Sequence[LogLine]) -> None:
        for line in lines:
            if self._as_json:
                click.echo(json.dumps(line.record))
            else:
                self._screen.print(self._text(line), soft_wrap=True)

    def _text(self, line: LogLine) -> Text:
        record = line.record
        level = visible(record.get("level", ""))
        text = Text.assemble(
            (f"{visible(_clock(line.timestamp))} ", "dim"),
            (f"{line.instance:<{self._width}} ", self._colours[_service(line.instance)]),
            (f"{level:<7} ", _LEVELS.get(level, "")),
            visible(record.get("message", "")),
        )
        for name, value in _extras(record).items():
            text.append(visible(f" {name}={value}"), "dim")
        if stack := record.get("exception.stacktrace"):
            for each in str(stack).split("\n"):  # indented, so that none passes for a line of its own
                text.append(f"\n  {visible(each)}", "dim")
        return text


def _service(instance: str) -> str:
    """`orders` of `orders-1`; of a name without a number, such as `supervisor`, itself."""
    return _NUMBER.sub("", instance)


def _clock(timestamp: str) -> str:
    """The time of day (UTC, as traces show it) to the millisecond."""
    return timestamp.partition("T")[2].rstrip("Z")[:12].ljust(12)


def _extras(record: dict[str, Any]) -> dict[str, Any]:
    extras = {
        name: value
        for name, value in record.items()
        if name not in _SHOWN_APART and value is not None and not _SAME_ON_EVERY_LINE.match(name)
    }
    trace_id = record.get("trace_id")
    return {**extras, "trace": trace_id} if trace_id else extras

"""`python -m deploy.demo`: exits with 0 only if everything really happened, and leaves nothing behind but its page.

That the experiment was run is part of it; its verdict, which a busy machine has a say in, is told and does not count.
"""

import asyncio
import shlex
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console

from deploy.demo.ending import Interrupts, kept_when_it_fails, wait_for_enter
from deploy.demo.screen import Screen
from deploy.demo.settings import Demonstration
from deploy.demo.story import DemoFailedError, Story, Told
from deploy.errors import DeployError
from deploy.supervisor.keys import of_client
from deploy.system import System, start_system

_STEPS: Final = 4
_DEFAULT: Final = Demonstration()


@click.command()
@click.option("--rps", default=_DEFAULT.rps, show_default=True, help="Requests per second.")
@click.option("--seconds", default=_DEFAULT.duration_s, show_default=True, help="How long the traffic lasts.")
@click.option("--seed", default=_DEFAULT.seed, show_default=True, help="What decides which requests are sent.")
@click.option("--experiment/--no-experiment", default=True, help="Whether an experiment ends it, in about 45 s.")
def main(rps: float, seconds: float, seed: int, experiment: bool) -> None:
    """Start Faultline, send real traffic, show one checkout as one trace, and what policies do about a fault."""
    demonstration, interrupts = Demonstration(rps, seconds, seed, experiment=experiment), Interrupts()
    screen = Screen(Console(), _STEPS if experiment else _STEPS - 1)
    interrupts.listen()
    try:
        _run(demonstration, screen, interrupts)
        screen.line("Everything is stopped.", "dim")
    except KeyboardInterrupt:
        screen.line("Interrupted. Everything is stopped.", "yellow")
        raise SystemExit(interrupts.exit_code) from None
    except (DemoFailedError, DeployError) as error:
        _say_failed(screen, demonstration, error)
        raise SystemExit(1) from error


def _run(demonstration: Demonstration, screen: Screen, interrupts: Interrupts) -> None:
    with ExitStack() as stack:
        state = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="faultline-demo-")))
        stack.enter_context(kept_when_it_fails(state / "logs", demonstration.folder / "logs"))
        screen.step("Starting gateway, orders, inventory, payments and a trace backend")
        with screen.waiting("on free ports, with a state folder of their own") as say:
            system = stack.enter_context(start_system(state, on_progress=lambda found: say(_ready_of(found))))
        stack.callback(_begin_to_end, screen, interrupts)
        keys = [each.key for each in of_client(system.keys, "load")]
        told = asyncio.run(Story(system, keys, demonstration, screen).tell())
        conclude = _experiment(state, demonstration, screen) if demonstration.experiment else None
        _say_happened(screen, told)
        if conclude:
            conclude(screen)
        if screen.console.is_terminal and sys.stdin.isatty():
            _say_addresses(screen, system, told.trace_id, demonstration.stay_s)
            wait_for_enter(demonstration.stay_s)


def _experiment(state: Path, demonstration: Demonstration, screen: Screen) -> Callable[[Screen], None]:
    """Runs it; what says its verdict at the end."""
    from deploy.demo import experiment  # noqa: PLC0415 -- Chaos Toolkit and the drawings are not needed before

    return partial(experiment.conclude, experiment.run(state, demonstration.folder, screen))


def _begin_to_end(screen: Screen, interrupts: Interrupts) -> None:
    """The first that is done at the end, however it comes."""
    interrupts.ignore()
    screen.blank()
    screen.line("Stopping everything ...", "dim")


def _ready_of(processes: Sequence[Mapping[str, Any]]) -> str:
    """`3 of 5 ready`."""
    return f"{sum(each['state'] == 'ready' for each in processes)} of {len(processes)} ready"


def _say_happened(screen: Screen, told: Told) -> None:
    kinds = len(list(told.report.outcomes()))
    screen.blank()
    screen.line(
        f"All of it happened: {told.report.sent} requests, {kinds} kinds of outcome, one whole trace.", "bold green"
    )
    screen.line(f"The trace as a page that needs nothing running: {told.page}")


def _say_addresses(screen: Screen, system: System, trace_id: str, stay_s: float) -> None:
    screen.blank()
    screen.line(f"Gateway     {system.gateway_url}/api/v1/docs")
    screen.line(f"Traces      {system.query_url}")
    screen.line(f"This trace  {system.query_url}/trace/{trace_id}")
    screen.line(f"API key     the key of `demo` in {system.state.client_keys_file}")
    screen.line(f"Try         faultline status --state {shlex.quote(str(system.state.path))}")
    screen.blank()
    screen.line(f"Press Enter to stop everything; it stops by itself in {stay_s / 60:.0f} minutes.", "bold")


def _without_log(text: str) -> str:
    """Without the path of a log (`StartError`) in the state folder, which is gone; where it was copied, is said."""
    return text.partition("; its log: ")[0]


def _say_failed(screen: Screen, demonstration: Demonstration, error: Exception) -> None:
    screen.blank()
    for line in _without_log(str(error)).splitlines():
        screen.line(f"The demonstration failed: {line}", "bold red")
    screen.line(f"Logs: {demonstration.folder / 'logs'}")


if __name__ == "__main__":
    main()

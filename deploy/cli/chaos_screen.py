"""Shows an experiment while it runs, and what came of it."""

from pathlib import Path
from typing import Any, Final, Self

import click
from rich import box
from rich.console import Console
from rich.status import Status
from rich.table import Table
from rich.text import Text

from chaos.measure.requests import availability, between
from chaos.runs import summary
from chaos.runs.catalogue import Experiment
from chaos.runs.compare import Comparison
from chaos.runs.errors import RecordError
from chaos.runs.experimenter import Step, Watcher
from chaos.runs.record import FILE, Record
from chaos.runs.verdict import Verdict
from chaos.toolkit.session import Progress

_LATELY_S = 2.0


class ExperimentScreen(Watcher):
    """On a terminal one line that changes, above it what happened; elsewhere only what happened, a line each."""

    def __init__(self, console: Console, experiment: Experiment, *, quiet: bool) -> None:
        self._console = console
        self._experiment = experiment
        self._quiet = quiet
        self._status = Status("", console=console) if console.is_terminal and not quiet else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._status:
            self._status.stop()

    def begins(self, step: Step) -> None:
        if step.number == 1:
            self._line(Text(self._experiment.title, "bold"))
        of = f"{step.number}/{step.of}  " if step.of > 1 else ""
        again = f", run {step.run}" if step.run > 1 else ""
        self._line(
            Text(f"\n{of}{self._experiment.name} with policies {summary.policy_name(step.policy)}{again}", "bold cyan")
        )
        if self._status:
            self._status.start()

    def progress(self, progress: Any) -> None:
        if progress.said:
            style = "bold red" if progress.said.startswith("BROKEN") else ""
            self._line(Text(f"  {progress.at_s:5.1f} s  {progress.said}", style))
        elif self._status:
            self._status.update(_now(progress))

    def ended(self, step: Step, verdict: Verdict) -> None:
        if self._status:
            self._status.stop()
        outcome = str(verdict.outcome)
        self._line(Text(f"  {summary.policy_name(step.policy)}: {outcome.replace('_', ' ')}", summary.STYLES[outcome]))

    def lost(self, error: RecordError) -> None:
        click.echo(f"faultline: {error}", err=True)

    def show(self, record: Record, folder: Path, report: Path | None) -> None:
        """Verdict and reasons, the table, where the rest is, as far as it could be written."""
        self._console.print()
        for line in summary.verdict_lines(record):
            self._console.print(line, soft_wrap=True)
        self._console.print(summary.table(record))
        if told := summary.evaluators_told(record):
            self._line(Text(f"Alerts  {told}"))
        if report:
            self._line(Text(f"Report  {report}"))
        if (folder / FILE).exists():
            self._line(Text(f"Record  {folder / FILE}"))

    def _line(self, text: Text) -> None:
        if not self._quiet:
            self._console.print(text, soft_wrap=True)


def _now(progress: Progress) -> str:
    """`12 s, 300 requests, 98% good lately`."""
    lately = [each for each in progress.requests if each.done_s >= progress.at_s - _LATELY_S]
    share = availability(between(lately, 0, float("inf")))
    good = "" if share is None else f", {share:.0%} good lately"
    return f"{progress.at_s:.0f} s, {len(progress.requests)} requests{good}"


_CHANGES: Final = {"better": "green", "worse": "bold red", "same": "", "unknown": "dim"}


def compared_table(found: Comparison) -> Table:
    """A row for each figure under each policy: before, after, what that means."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1))
    table.add_column("policy", no_wrap=True)
    table.add_column("figure")
    for name in ("earlier", "later"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for each in found.figures:
        values = (summary.shown(each.figure, value) for value in (each.before, each.after))
        table.add_row(
            summary.policy_name(each.policy), each.figure.label, *values, Text(each.change, _CHANGES[each.change])
        )
    return table

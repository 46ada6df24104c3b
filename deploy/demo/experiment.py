"""The last step of the demonstration: one experiment with policies off, then with all of them, side by side."""

from pathlib import Path
from typing import Final

from chaos.report import page
from chaos.runs import catalogue, experimenter, summary
from chaos.runs.errors import RunError
from chaos.runs.experimenter import Wanted
from chaos.runs.verdict import EXIT_CODES, Outcome
from deploy.cli.chaos_screen import ExperimentScreen
from deploy.demo.screen import Screen
from deploy.demo.story import DemoFailedError

NAME: Final = "failing-payments"
POLICIES: Final = ("off", "full")


def run(state: Path, folder: Path, screen: Screen) -> Outcome:
    """Shows its progress, its comparison and where its report is; its verdict, which is the machine's business as well.

    Raises `DemoFailedError` when it could not be run, KeyboardInterrupt when it was interrupted.
    """
    experiment = catalogue.load(NAME)
    screen.step(f"An experiment: {experiment.declared.summary}, with policies {' and '.join(POLICIES)}")
    try:
        with ExperimentScreen(screen.console, experiment, quiet=False) as shown:
            record, _ = experimenter.run(experiment, Wanted(POLICIES, quick=True), state, shown)
        file = page.write(record, folder, "experiment.html")
    except RunError as error:
        raise DemoFailedError(str(error)) from error
    if record["verdict"]["exit_code"] == EXIT_CODES[Outcome.INTERRUPTED]:
        raise KeyboardInterrupt
    screen.blank()
    for line in summary.verdict_lines(record):
        screen.line(line.plain)
    screen.show(summary.table(record))
    screen.line(f"The experiment as a page: {file}")
    return Outcome(record["verdict"]["outcome"])


def conclude(outcome: Outcome, screen: Screen) -> None:
    """Says what it has shown, as one does at the end."""
    name = outcome.replace("_", " ").upper()
    screen.line(f"The experiment's verdict: {name}. {page.MEANINGS[outcome]}", summary.STYLES[outcome])

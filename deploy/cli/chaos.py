"""`faultline chaos`: experiments: which there are, run, reported, compared."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from chaos.load.plan import MAX_RPS
from chaos.options import NumberRange
from chaos.report import page
from chaos.runs import catalogue, experimenter, record
from chaos.runs import junit as junit_xml
from chaos.runs.compare import Comparison, compare
from chaos.runs.errors import InvalidError, RecordError, RunError
from chaos.runs.experimenter import Wanted
from chaos.runs.record import Record
from chaos.runs.verdict import EXIT_CODES, Outcome
from deploy.cli import experiment_rules
from deploy.cli.chaos_screen import ExperimentScreen, compared_table
from deploy.cli.common import system_option
from deploy.cli.screen import console
from deploy.errors import UsageError
from deploy.supervisor.request import DEFAULT_TOPOLOGY, find_topology
from deploy.supervisor.state import StateFolder
from deploy.topology import Topology

_INVALID = EXIT_CODES[Outcome.INVALID]
_json_option = click.option("--json", "as_json", is_flag=True, help="The same as JSON.")


class _Refusals(click.Group):
    """What cannot be run ends with the exit code of an invalid experiment, whoever finds it out."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (RunError, click.UsageError) as exc:
            said = exc.format_message() if isinstance(exc, click.UsageError) else str(exc)
            click.echo(f"faultline: {said}", err=True)
            return _INVALID


@click.group("chaos", cls=_Refusals)
def command() -> None:
    """Run experiments that say, with evidence, what a fault does under which policies.

    \b
    Exit codes: 0 passed, 1 deviated, 2 invalid (nothing was touched), 3 stopped by a stop condition,
    4 the fault touched nothing, 5 inconclusive, 130 interrupted (and rolled back).
    """  # noqa: D301 -- \b is click's mark for lines that are not to be wrapped


@command.command("list")
@_json_option
def list_experiments(as_json: bool) -> None:
    """Show the experiments and what each claims."""
    found = list(catalogue.load_all())
    if as_json:
        rows = [{"name": each.name, "title": each.title, "file": str(each.file)} for each in found]
        click.echo(json.dumps(rows, indent=2))
        return
    width = max(len(each.name) for each in found)
    for each in found:
        click.echo(f"{each.name:<{width}}  {each.title}")


@command.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option(
    "--topology", metavar="MODULE:NAME", default=DEFAULT_TOPOLOGY, show_default=True, help="The system they are for."
)
def validate(names: tuple[str, ...], topology: str) -> None:
    """Check experiments, all if none is named, without touching anything, and without a system that runs.

    Names of operations are checked by `run`, which asks the system.
    """
    system = _topology(topology)
    for name in names or catalogue.names():
        experiment_rules.check(catalogue.load(name), system)
        click.echo(f"{name}: valid")


def _topology(reference: str) -> Topology:
    try:
        return find_topology(reference)
    except UsageError as exc:
        raise InvalidError(str(exc)) from exc


@command.command()
@click.argument("name")
@click.option(
    "--policy", "policies", multiple=True, metavar="PRESET", help="Policies of an arm; give several to compare."
)
@click.option("--runs", type=int, default=1, show_default=True, metavar="N", help="How often each arm runs.")
@click.option("--seed", type=int, default=1, show_default=True, metavar="N", help="Equal seeds send equal requests.")
@click.option(
    "--rps",
    type=NumberRange(0, MAX_RPS, min_open=True),
    metavar="RPS",
    help="Requests per second, instead of the experiment's own.",
)
@click.option("--quick", is_flag=True, help="With shorter phases.")
@click.option("--json", "as_json", is_flag=True, help="The record of the run as JSON, instead of progress and tables.")
@click.option(
    "--junit", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write JUnit XML as well."
)
@system_option
def run(state: StateFolder, name: str, as_json: bool, junit: Path | None, **wanted: Any) -> int:
    """Run an experiment on the running system, take its fault away, and say whether its hypothesis held."""
    experiment = catalogue.load(name)
    if junit:
        _check_can_be_written(junit)
    screen = ExperimentScreen(console(), experiment, quiet=as_json)
    with screen:
        found, folder = experimenter.run(experiment, Wanted(**wanted), state.path, screen)
    return publish(found, folder, junit, None if as_json else screen)


def publish(found: Record, folder: Path, junit: Path | None, screen: ExperimentScreen | None) -> int:
    """Writes and shows what came of a run, as JSON without a screen; the verdict's exit code, whatever could not be written."""
    report = _unless_it_fails(lambda: page.write(found, folder))
    if screen:
        screen.show(found, folder, report)
    else:
        click.echo(json.dumps(found, indent=1))
    if junit:
        _unless_it_fails(lambda: _write(junit, junit_xml.render(found)))
    return int(found["verdict"]["exit_code"])


@command.command()
@click.argument("run", required=False, type=click.Path(path_type=Path))
@click.option("--experiment", default="", metavar="NAME", help="The latest run of this one, when none is named.")
@system_option
def report(state: StateFolder, run: Path | None, experiment: str) -> None:
    """Write the report of a run anew, the latest if none is named, and show where it is."""
    folder = run or next(record.latest(experimenter.runs_folder(state.path), experiment), None)
    if folder is None:
        raise RecordError(f"no records in {experimenter.runs_folder(state.path)}; make one with `faultline chaos run`")
    click.echo(page.write(record.read(folder), record.folder_of(folder)))


@command.command("compare")
@click.argument("earlier", required=False, type=click.Path(path_type=Path))
@click.argument("later", required=False, type=click.Path(path_type=Path))
@click.option("--experiment", default="", metavar="NAME", help="Of which experiment, when no records are named.")
@_json_option
@system_option
def compare_records(
    state: StateFolder, earlier: Path | None, later: Path | None, experiment: str, as_json: bool
) -> int:
    """Compare two records, the latest two of an experiment if none are named; 1 if the later one is worse."""
    before, after = _two(state, earlier, later, experiment)
    found = compare(record.read(before), record.read(after))
    if as_json:
        click.echo(json.dumps(asdict(found), indent=1))
    else:
        _show(found, before, after)
    return int(found.worse)


def _two(state: StateFolder, earlier: Path | None, later: Path | None, experiment: str) -> tuple[Path, Path]:
    if earlier and later:
        return earlier, later
    runs = experimenter.runs_folder(state.path)
    newest = earlier or next(record.latest(runs, experiment), None)
    if newest is None:
        raise RecordError(f"no records in {runs}; make one with `faultline chaos run`")
    name = experiment or record.read(newest)["experiment"]["name"]
    itself = record.folder_of(newest).resolve()
    others = [each for each in record.latest(runs, name) if each.resolve() != itself]
    if not others:
        raise RecordError(f"only one record of {name} in {runs}")
    return (newest, others[0]) if earlier else (others[0], newest)


def _show(found: Comparison, before: Path, after: Path) -> None:
    screen = console()
    screen.print(f"{before.name} ({found.verdicts[0]}), then {after.name} ({found.verdicts[1]})", soft_wrap=True)
    screen.print(compared_table(found))
    for each in found.differences:
        screen.print(f"  {each}", soft_wrap=True)


def _check_can_be_written(file: Path) -> None:
    """Leaves it as it is. Raises InvalidError."""
    existed = file.exists()
    try:
        file.open("a").close()
        if not existed:
            file.unlink()
    except OSError as exc:
        raise InvalidError(f"{file}: {exc.strerror}") from exc


def _write(file: Path, text: str) -> Path:
    try:
        file.write_text(text, "utf-8")
    except OSError as exc:
        raise RecordError(f"{file}: {exc.strerror}") from exc
    return file


def _unless_it_fails(write: Callable[[], Path]) -> Path | None:
    """Who wants the verdict gets it all the same, and is told of the error."""
    try:
        return write()
    except RecordError as exc:
        click.echo(f"faultline: {exc}", err=True)
        return None

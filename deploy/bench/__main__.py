"""`python -m deploy.bench [--only NAME]...`: measure, print a table, write `build/bench.json`.

Exits with 0 when every figure was measured, goals met or not; with 1 when one was refused.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click
from rich.console import Console

from deploy.bench.catalogue import BENCHMARKS
from deploy.bench.figure import Benchmark, Figure
from deploy.bench.report import figures_table, write_json

_FILE: Final = Path(__file__).resolve().parents[2] / "build" / "bench.json"
_NAMES: Final = [benchmark.name for benchmark in BENCHMARKS]


@click.command()
@click.option("--only", multiple=True, type=click.Choice(_NAMES), help="Measure this figure; may be given repeatedly.")
@click.option("--json", "file", type=click.Path(path_type=Path), default=_FILE, help="Where the figures are written.")
def main(only: Sequence[str], file: Path) -> None:
    """Measure Faultline on this machine."""
    console = Console()
    _warn_when_busy(console)
    figures = [_run(benchmark, console) for benchmark in BENCHMARKS if not only or benchmark.name in only]
    console.print(figures_table(figures))
    write_json(figures, file)
    console.print(f"Written to {file}", soft_wrap=True)
    if any(figure.value is None for figure in figures):
        raise SystemExit(1)


def _warn_when_busy(console: Console) -> None:
    """Pairs suffer alike on a busy machine, but their spread grows."""
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    if load > cores / 2:
        console.print(
            f"This machine is busy (load {load:.1f} on {cores} cores): take these figures lightly.", style="yellow"
        )


def _run(benchmark: Benchmark, console: Console) -> Figure:
    console.print(f"[bold]{benchmark.name}[/bold]: {benchmark.about}")
    return benchmark.run(lambda line: console.print(f"  {line}", style="dim"))


if __name__ == "__main__":
    main()

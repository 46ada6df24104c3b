"""The figures as a table and as a file."""

import json
from collections.abc import Sequence
from pathlib import Path

from rich import box
from rich.table import Table
from rich.text import Text

from deploy.bench.figure import Figure


def figures_table(figures: Sequence[Figure]) -> Table:
    """A row for each figure; fits a terminal of 80 columns."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("figure", no_wrap=True)
    table.add_column("value", justify="right", no_wrap=True)
    table.add_column("goal", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("how", overflow="fold")
    for figure in figures:
        table.add_row(figure.name, _value(figure), _goal(figure), _verdict(figure), figure.detail)
    return table


def write_json(figures: Sequence[Figure], file: Path) -> None:
    """Replace `file` by a list of objects `name, value, unit, goal, better, detail`."""
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_suffix(".tmp")
    temporary.write_text(json.dumps([figure.as_dict() for figure in figures], indent=2) + "\n", encoding="utf-8")
    temporary.replace(file)


def _value(figure: Figure) -> str:
    return "-" if figure.value is None else f"{figure.value:.4g} {figure.unit}"


def _goal(figure: Figure) -> str:
    return f"{'≥' if figure.better == 'higher' else '≤'} {figure.goal:g}"


def _verdict(figure: Figure) -> Text:
    if figure.value is None:
        return Text("refused", "bold magenta")
    return Text("met", "green") if figure.met else Text("missed", "bold red")

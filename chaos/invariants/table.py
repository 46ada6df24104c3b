"""The report as tables for a terminal of 80 columns or more."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Final

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from chaos.invariants.report import Checked, Report

SHOWN: Final = 10  # violations of one invariant; all of them are in the JSON

_ID: Final = 40  # characters of an id that stay on one line, to be copied

_MOVING: Final = "Orders changed while they were read: what was found may have been under way. Verify again at rest."


def report_view(report: Report) -> RenderableType:
    """What was looked at, a row for each invariant, then the violations, then the verdict."""
    parts: list[RenderableType] = [Text(_looked_at(report)), _invariants(report)]
    parts += [_violations(each) for each in report.checked if each.violations]
    parts += [Text(_MOVING, "yellow")] if report.moving else []
    return Group(*parts, _verdict(report))


def _looked_at(report: Report) -> str:
    """`Orders: 3 (2 confirmed, 1 rejected). Payments: 2 (2 captured).`."""
    return " ".join(_counted(name, states) for name, states in report.counts.items())


def _counted(name: str, states: Mapping[str, int]) -> str:
    named = ", ".join(f"{count:,} {state}" for state, count in states.items() if state != "all")
    return f"{name.capitalize()}: {sum(states.values()):,}{f' ({named})' if named else ''}."


def _invariants(report: Report) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=0)
    table.add_column("invariant", overflow="fold")
    table.add_column("looked at", justify="right", no_wrap=True)
    table.add_column("broken", justify="right", no_wrap=True)
    for each in report.checked:
        broken = len(each.violations)
        table.add_row(each.invariant, f"{each.looked_at:,}", f"{broken:,}", style="bold red" if broken else None)
    return table


def _violations(checked: Checked) -> Group:
    table = Table(box=box.SIMPLE_HEAD, padding=0)
    rows = list(_rows(checked))
    table.add_column("subject", overflow="fold", no_wrap=max(len(each[0]) for each in rows) <= _ID)
    for name in ("found", "expected"):
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    return Group(Text(f"{checked.invariant}: {checked.promise}", "bold red"), table)


def _rows(checked: Checked) -> Iterator[tuple[str, ...]]:
    for each in islice(checked.violations, SHOWN):
        yield each.subject, each.found, each.expected
    if (left_out := len(checked.violations) - SHOWN) > 0:
        yield (f"and {left_out:,} more",)


def _verdict(report: Report) -> Text:
    if report.ok:
        return Text(f"All {len(report.checked)} invariants hold.", "green")
    broken = sum(bool(each.violations) for each in report.checked)
    told = f"{broken} of {len(report.checked)} invariants are broken; violations: {len(report.violations):,}."
    return Text(told, "bold red")

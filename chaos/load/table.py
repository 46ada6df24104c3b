"""The report as a table for a terminal of 80 columns or more."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from rich import box
from rich.table import Table
from rich.text import Text

from chaos.load.outcomes import Outcome, OutcomeClass
from chaos.load.report import LoadReport, RouteReport

_STYLES: Final[Mapping[OutcomeClass, str]] = MappingProxyType(
    {
        OutcomeClass.SUCCESS: "green",
        OutcomeClass.DEGRADED: "cyan",
        OutcomeClass.REFUSED: "yellow",
        OutcomeClass.FAILED: "bold red",
        OutcomeClass.UNANSWERED: "bold red",
        OutcomeClass.NOT_SENT: "magenta",
    }
)


_GAP: Final = (0, 0, 0, 0)  # the box has a space between columns already


def summary_table(report: LoadReport) -> Table:
    """A row for each route with its rate and percentiles, and below it a row for each of its outcomes."""
    table = Table(title=progress_line(report), title_justify="left", title_style="", box=box.SIMPLE_HEAD, padding=_GAP)
    table.add_column("route / outcome", no_wrap=True, min_width=34)
    for name in ("count", "per s", "p50 ms", "p95 ms", "p99 ms", "max ms"):
        table.add_column(name, justify="right", no_wrap=True)
    for route in report.routes:
        _add_route(table, route)
    return table


def progress_line(report: LoadReport) -> str:
    """`4.0 of 12 s, 80 of 240 sent, 3 in flight, 0 failed`."""
    bad = sum(report.count(each) for each in (OutcomeClass.FAILED, OutcomeClass.UNANSWERED, OutcomeClass.NOT_SENT))
    time = f"{min(report.elapsed_s, report.duration_s):.1f} of {report.duration_s:g} s"
    return f"{time}, {report.sent} of {report.planned} sent, {report.in_flight} in flight, {bad} failed"


def generator_line(report: LoadReport) -> str:
    """How the generator itself did, in one line."""
    generator = report.generator
    kept_up = generator.said or "The generator kept up."
    return f"{kept_up} Sent {_ms(generator.lag_p50_s)} ms late at the median, {_ms(generator.lag_max_s)} ms at most."


def _add_route(table: Table, route: RouteReport) -> None:
    times = (route.p50_s, route.p95_s, route.p99_s, route.max_s)
    table.add_row(Text(route.route, "bold"), str(route.count), f"{route.rate:.1f}", *map(_ms, times))
    for counted in route.outcomes:
        table.add_row(_label(counted.outcome), str(counted.count))


def _label(outcome: Outcome) -> Text:
    return Text(f"  {outcome}", _STYLES[outcome.outcome_class])


def _ms(seconds: float | None) -> str:
    """Milliseconds with three significant digits where that is sensible: `0.85`, `12.3`, `1240`."""
    if seconds is None:
        return "-"
    value = seconds * 1000
    return f"{value:.2f}" if value < 1 else f"{value:.1f}" if value < 100 else f"{value:.0f}"

"""Objectives and alerts as tables for the terminal; 80 columns are enough."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from deploy.cli.screen import console, span_of_time, visible

_WIDE: Final = 110
_SHOWN: Final = 12  # newest notifications
_EVALUATORS: Final = {
    "embedded": "faultline-alerts itself, by its own scrapes: there is no Prometheus",
    "prometheus": "Prometheus",
}
_STANDS_IN: Final = "faultline-alerts itself, by its own scrapes, in Prometheus' place"
_STYLES: Final = {"firing": "bold red", "pending": "yellow", "resolved": "green", "silenced": "dim"}
_RANK: Final = ("page", "ticket", "none")
_WATCHDOG: Final = "Watchdog"


def show(found: Mapping[str, Any]) -> None:
    """Three tables, each with what it is when it is empty, and who evaluates."""
    screen = console()
    wide, now_s = screen.width >= _WIDE, datetime.now(UTC).timestamp()
    screen.print("Objectives, and burn rates (1: a budget lasts just as long as it is meant to)", style="bold")
    screen.print(_objectives(found.get("objectives", ()), wide=wide))
    _section(screen, "Alerts", _alerts(found.get("alerts", ()), now_s, wide=wide), "none is pending, none fires")
    delivered = found.get("delivered", ())
    _section(screen, "Delivered", _delivered(delivered[:_SHOWN], wide=wide), "nobody was told of anything")
    if len(delivered) > _SHOWN:
        screen.print(f"… and {len(delivered) - _SHOWN} earlier ones: --json", style="dim")
    _who(screen, found, now_s)


def _who(screen: Console, found: Mapping[str, Any], now_s: float) -> None:
    evaluator = found.get("evaluator", "")
    by = (
        _STANDS_IN
        if evaluator == "embedded" and found.get("problem")
        else _EVALUATORS.get(evaluator, visible(evaluator))
    )
    screen.print(f"\nEvaluated by {by}; windows of {visible(found.get('profile', ''))}.", soft_wrap=True)
    heard = found.get("watchdog_heard_at")
    if heard:
        screen.print(f"The watchdog was heard {span_of_time(now_s - _seconds(heard))} ago.", soft_wrap=True)
    if problem := found.get("problem"):
        screen.print(visible(problem), style="bold red", soft_wrap=True)


def _section(screen: Console, name: str, table: Table, empty: str) -> None:
    screen.print(f"\n{name}" if table.row_count else f"\n{name}: {empty}", style="bold" if table.row_count else "")
    if table.row_count:
        screen.print(table)


def _table(*columns: str, right: Iterable[str] = (), wide: bool, header: bool = True) -> Table:
    table = Table(
        box=None, pad_edge=False, header_style="bold", padding=(0, 2 if wide else 1, 0, 0), show_header=header
    )
    numbers = set(right)
    for name in columns:
        table.add_column(name, justify="right" if name in numbers else "left", no_wrap=name != "about")
    return table


def _objectives(objectives: Sequence[Mapping[str, Any]], *, wide: bool) -> Table:
    windows = list(dict.fromkeys(window for each in objectives for window in each["burn_rates"]))
    columns = ("target", "budget left", *windows)
    table = _table("objective", *columns, right=columns, wide=wide)
    for each in objectives:
        rates = (_rate(each["burn_rates"].get(window)) for window in windows)
        table.add_row(each["slo"], f"{100 * each['target']:g}%", _left(each["budget_remaining"]), *rates)
    return table


def _left(share: float | None) -> Text:
    """`87%`; `spent 3.1x` for a budget that was spent so many times."""
    if share is None:
        return Text("no requests", "dim")
    if share <= 0:
        return Text(f"spent {_short(1 - share)}x", "bold red")
    return Text(f"{100 * share:.0f}%", "green" if share > 0.5 else "yellow")


def _rate(rate: float | None) -> Text:
    if rate is None:
        return Text("-", "dim")
    style = "bold red" if rate >= 6 else "yellow" if rate > 1 else ""
    return Text(_short(rate), style)


def _short(number: float) -> str:
    """At most four characters: `0`, `0.4`, `14`."""
    return "0" if number < 0.05 else f"{number:.1f}" if number < 10 else f"{number:.0f}"


def _alerts(alerts: Iterable[Mapping[str, Any]], now_s: float, *, wide: bool) -> Table:
    table = _table("state", "severity", "for", "alert", "about", right=["for"], wide=wide)
    shown = (each for each in alerts if each["alertname"] != _WATCHDOG)
    for each in sorted(shown, key=lambda one: (one["state"], _rank(one["severity"]), one["alertname"])):
        state = "silenced" if each.get("silenced") else each["state"]
        lasts = span_of_time(max(0.0, now_s - _seconds(each["since"])))
        table.add_row(
            Text(state, _STYLES.get(state, "")), each["severity"], lasts, visible(each["alertname"]), _about(each, wide)
        )
    return table


def _delivered(delivered: Iterable[Mapping[str, Any]], *, wide: bool) -> Table:
    table = _table("at", "status", "severity", "alert", "about", wide=wide)
    for each in delivered:
        at = datetime.fromtimestamp(_seconds(each["at"]), UTC).astimezone().strftime("%H:%M:%S")
        status = Text(visible(each["status"]), _STYLES.get(each["status"], ""))
        table.add_row(at, status, visible(each["severity"]), visible(each["alertname"]), _about(each, wide))
    return table


def _about(each: Mapping[str, Any], wide: bool) -> str:
    """The summary where there is room, else whom it is about: `orders → payments`, `checkout`."""
    labels = each["labels"]
    if wide and each["summary"]:
        return visible(each["summary"])
    service, callee = labels.get("service", ""), labels.get("callee", "")
    return visible(f"{service} → {callee}" if callee not in ("", service) else service or labels.get("slo", ""))


def _rank(severity: str) -> int:
    return _RANK.index(severity) if severity in _RANK else len(_RANK)


def _seconds(text: str) -> float:
    """Since the epoch, of a time as RFC 3339 has it, in whichever zone; digits below a microsecond are dropped."""
    return datetime.fromisoformat(text).timestamp()

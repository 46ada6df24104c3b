"""Runs as a table for a terminal: policies side by side, the figures in rows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rich import box
from rich.table import Table
from rich.text import Text

from chaos.measure.alerts import EVALUATORS
from chaos.runs.record import Record
from chaos.runs.statistics import Estimate, estimate

STYLES: Final = {
    "passed": "bold green",
    "inconclusive": "bold yellow",
    "deviated": "bold red",
    "no_effect": "bold yellow",
    "stopped": "bold magenta",
    "invalid": "bold red",
    "interrupted": "bold yellow",
}


@dataclass(frozen=True)
class Figure:
    """A figure as it is shown: its name, its unit, what it is multiplied by, and whether more of it is better."""

    key: str
    label: str
    unit: str
    factor: float
    better: str  # `higher`, `lower`
    digits: int = 3


FIGURES: Final = (
    Figure("goodput", "Goodput during the fault", "req/s", 1, "higher"),
    Figure("checkout_availability", "Checkouts good during the fault", "%", 100, "higher"),
    Figure("browse_availability", "Browsing good during the fault", "%", 100, "higher"),
    Figure("checkout_p50_s", "Checkout p50 during the fault", "ms", 1000, "lower"),
    Figure("checkout_p99_s", "Checkout p99 during the fault", "ms", 1000, "lower"),
    Figure("browse_p99_s", "Browse p99 during the fault", "ms", 1000, "lower"),
    Figure("amplification", "Attempts per call, whole run", "", 1, "lower"),
    Figure("fault_amplification", "Attempts per call, during the fault", "", 1, "lower"),
    Figure("attempts_per_s", "Attempts at the peer during the fault", "1/s", 1, "lower"),
    Figure("time_to_open_s", "Breaker open after", "s", 1, "lower"),
    Figure("unserved_call_p99_s", "Calls not served p99, breaker open", "ms", 1000, "lower"),
    Figure("time_to_recover_s", "Recovered after the peer was back", "s", 1, "lower"),
    Figure("time_to_detect_s", "Alert delivered after the fault began", "s", 1, "lower"),
    Figure("time_to_resolve_s", "Its end delivered after the fault was gone", "s", 1, "lower"),
)


@dataclass(frozen=True)
class Row:
    """A figure under each policy, in the order of the columns; None where it was never measured."""

    figure: Figure
    values: tuple[Estimate | None, ...]

    def told(self) -> list[str]:
        """As text: `12.3 ± 0.4`, or `-`."""
        return [shown(self.figure, value) for value in self.values]

    @property
    def best(self) -> int | None:
        """The column that is better than all others, beyond what single runs differ by anyway; None if none is."""
        known = [(each.mean, index) for index, each in enumerate(self.values) if each]
        if len(known) < 2 or len(known) < len(self.values):
            return None
        ordered = sorted(known, reverse=self.figure.better == "higher")
        first, second = (self.values[index] for _, index in ordered[:2])
        if first is None or second is None or first.like(second):
            return None
        return ordered[0][1]


def policies(record: Record) -> list[str]:
    """The arms' policies, in the order in which they ran."""
    return list(dict.fromkeys(each["policy"] for each in record["arms"]))


def rows(record: Record) -> list[Row]:
    """The figures that were measured under any policy."""
    columns = policies(record)
    found = (Row(each, tuple(_estimated(record, policy, each.key) for policy in columns)) for each in FIGURES)
    return [each for each in found if any(each.values)]


def evaluators(record: Record) -> list[str]:
    """Who evaluated the alerts that its arms looked for: `prometheus`, `embedded`; none where they looked for none."""
    seen = [(each["found"].get("alerts") or {}).get("evaluator") for each in record["arms"]]
    return list(dict.fromkeys(filter(None, seen)))


def evaluators_told(record: Record) -> str:
    """The same for people; empty where there were none."""
    return "; ".join(EVALUATORS.get(each, each) for each in evaluators(record))


def shown(figure: Figure, value: Estimate | None) -> str:
    """A value with its unit; `± half the confidence interval` where runs were repeated."""
    if value is None:
        return "-"
    mean = _number(value.mean * figure.factor, figure.digits)
    spread = f" ± {_number(value.half_width * figure.factor, 2)}" if value.half_width is not None else ""
    return f"{mean}{spread} {figure.unit}".rstrip()


def policy_name(policy: str) -> str:
    """For people: what runs without a policy of its own runs as the system is."""
    return policy or "as it is"


def table(record: Record) -> Table:
    """Policies side by side."""
    found = Table(box=box.SIMPLE_HEAD, padding=(0, 1))
    found.add_column("")
    for each in policies(record):
        found.add_column(policy_name(each), justify="right", no_wrap=True)
    for row in rows(record):
        found.add_row(row.figure.label, *_marked(row))
    return found


def verdict_lines(record: Record) -> Iterator[Text]:
    """The verdict, then its reasons."""
    verdict = record["verdict"]
    name = verdict["outcome"].replace("_", " ")
    yield Text.assemble((name.upper(), STYLES[verdict["outcome"]]), f"  {record['experiment']['title']}")
    for each in verdict["reasons"]:
        yield Text(f"  {each}")


def _marked(row: Row) -> list[Text]:
    return [Text(told, "green" if index == row.best else "") for index, told in enumerate(row.told())]


def _estimated(record: Record, policy: str, key: str) -> Estimate | None:
    arms: Sequence[Mapping[str, Any]] = [each for each in record["arms"] if each["policy"] == policy]
    values = [(each["found"].get("figures") or {}).get(key) for each in arms]
    return estimate([each for each in values if each is not None])


def _number(value: float, digits: int) -> str:
    """`0.85`, `12.3`, `1240`: significant digits, but never an exponent."""
    if value == 0:
        return "0"
    whole = f"{value:.{digits}g}"
    return f"{value:.0f}" if "e" in whole else whole

"""How fast the objectives' budgets burn, over every window. Pure: time and counts are given.

The same arithmetic as the Prometheus rules: see `observability/stack/prometheus/rules.py`.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from observability.alerting.counts import Key, Stream
from observability.alerting.ring import Ring
from observability.alerting.states import Condition
from observability.stack.indicators import Indicator, indicators
from observability.stack.objectives import Slo, alert_name
from observability.stack.profiles import BurnRate, Profile

_ROWS_OF_PERIOD: Final = 720


class Burning:
    """The memory of all objectives' bad and total counts."""

    def __init__(self, slo: Slo, profile: Profile) -> None:
        self._slo, self._profile = slo, profile
        self._indicators = indicators(slo.objectives)
        longest = max(profile.length_s(window) for window in profile.windows)
        width = 2 * len(self._indicators)
        self._recent = Ring(width, longest, profile.scrape_interval_s)
        self._period = Ring(width, profile.period_s, profile.period_s / _ROWS_OF_PERIOD)
        self._now_s, self._counts = 0.0, [0.0] * width

    @property
    def streams(self) -> Iterator[Stream]:
        for each in self._indicators:
            yield Stream(f"{each.slo}/total", each.total)
            yield Stream(f"{each.slo}/part", each.bad or each.good)

    def observe(self, now_s: float, totals: Mapping[Key, float]) -> None:
        """Takes the counts of now."""
        self._now_s = now_s
        self._counts = [count for each in self._indicators for count in _counted(each, totals)]
        self._recent.append(now_s, self._counts)
        self._period.append(now_s, self._counts)

    def conditions(self) -> Iterator[Condition]:
        """The objectives that burn too fast, for each severity once."""
        for index, each in enumerate(self._indicators):
            found: dict[str, float] = {}
            for row in self._slo.burn_rates:
                if row.severity not in found and self._burns(index, each, row):
                    found[row.severity] = self._ratio(index, self._profile.length_s(row.long)) or 0.0
            for severity, value in found.items():
                name = alert_name(each.journey, each.aspect)
                labels = {"alertname": name, "journey": each.journey, "severity": severity, "slo": each.slo}
                yield Condition(tuple(sorted(labels.items())), value)

    def figures(self) -> list[dict[str, Any]]:
        """What is told of each objective."""
        return [self._figures(index, each) for index, each in enumerate(self._indicators)]

    def _figures(self, index: int, each: Indicator) -> dict[str, Any]:
        spent = self._share(*self._between(self._period, index, self._profile.period_s))
        return {
            **described(self._slo, self._profile, each),
            "budget_remaining": None if spent is None else 1 - spent / each.goal.budget,
            "burn_rates": {
                length: None if ratio is None else ratio / each.goal.budget
                for window, length in self._profile.windows.items()
                for ratio in (self._ratio(index, self._profile.length_s(window)),)
            },
        }

    def _burns(self, index: int, each: Indicator, row: BurnRate) -> bool:
        long_s, short_s = self._profile.length_s(row.long), self._profile.length_s(row.short)
        if self._between(self._recent, index, long_s)[0] < self._slo.least_bad:
            return False
        ratios = (self._ratio(index, long_s), self._ratio(index, short_s))
        return all(ratio is not None and ratio > row.burn_rate * each.goal.budget for ratio in ratios)

    def _ratio(self, index: int, window_s: float) -> float | None:
        return self._share(*self._between(self._recent, index, window_s))

    def _between(self, ring: Ring, index: int, window_s: float) -> tuple[float, float]:
        bad, total = ring.increases(self._now_s, window_s, self._counts)[2 * index : 2 * index + 2]
        return bad, total

    @staticmethod
    def _share(bad: float, total: float) -> float | None:
        return bad / total if total > 0 else None


def described(slo: Slo, profile: Profile, each: Indicator) -> dict[str, Any]:
    """What an objective is, without how it does."""
    return {
        "slo": each.slo,
        "journey": each.journey,
        "description": slo.objectives[each.journey].description,
        "target": each.goal.target,
        "period": profile.period,
    }


def _counted(each: Indicator, totals: Mapping[Key, float]) -> tuple[float, float]:
    """(bad, total)."""
    total, part = totals.get(Key(f"{each.slo}/total"), 0.0), totals.get(Key(f"{each.slo}/part"), 0.0)
    return (max(total - part, 0.0) if each.good else part), total

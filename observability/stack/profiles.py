"""When things happen: windows and intervals of a profile (`demo`, `production`), and the table of burn rates."""

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from observability.stack.durations import Duration, seconds, text_of

Window = Literal["5m", "30m", "1h", "2h", "6h", "1d", "3d"]
"""A window, by its length in production."""

Severity = Literal["page", "ticket"]

_LEAST_SCRAPES: Final = 4
_RECORDS_IN_WINDOW: Final = 40
# Who starts a system wants to see all that it records soon.
_EVALUATIONS_AT_MOST: Final = 15
# A series that is recorded less often than Prometheus looks back (5 min) is not there between two records.
_LONGEST_INTERVAL_S: Final = 120


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class BurnRate(_Strict):
    """A row of the table: fires when the budget burns so fast over `long`, and still does over `short`."""

    severity: Severity
    burn_rate: Annotated[float, Field(gt=0)]
    long: Window
    short: Window


class Profile(_Strict):
    """The lengths of the windows and what happens how often."""

    scrape_interval: Duration
    evaluation_interval: Duration
    windows: dict[Window, Duration]
    period: Duration
    group_wait: Duration
    group_interval: Duration
    repeat_interval: Duration
    heartbeat: Duration

    def length(self, window: Window) -> Duration:
        """How long the window is here."""
        return self.windows[window]

    def length_s(self, window: Window) -> int:
        return seconds(self.windows[window])

    @property
    def scrape_interval_s(self) -> int:
        return seconds(self.scrape_interval)

    @property
    def period_s(self) -> int:
        return seconds(self.period)

    def record_interval(self, span: Duration) -> Duration:
        """How often a ratio over `span` is recorded: the longer, the seldomer, as it costs more and changes less."""
        every_s = seconds(self.evaluation_interval)
        wanted = min(seconds(span) / _RECORDS_IN_WINDOW, _EVALUATIONS_AT_MOST * every_s, _LONGEST_INTERVAL_S)
        return text_of(max(int(wanted), every_s))

    @model_validator(mode="after")
    def _windows_fit(self) -> "Profile":
        lengths = [seconds(self.windows[name]) for name in sorted(self.windows, key=seconds)]
        if lengths != sorted(set(lengths)):
            raise ValueError("windows: a window that is longer in production must be longer here")
        if lengths and lengths[0] < _LEAST_SCRAPES * self.scrape_interval_s:
            raise ValueError(f"windows: the shortest holds fewer than {_LEAST_SCRAPES} scrapes")
        if lengths and self.period_s < lengths[-1]:
            raise ValueError("period: shorter than the longest window")
        return self

"""Whether the generator kept up with its own plan. If it did not, its figures say little about the system."""

import time
from typing import Final

from chaos.load.histogram import Histogram
from chaos.load.report import GeneratorReport

LATE_S: Final = 0.05  # a hundredth of the requests later than this: the generator, not the system, was slow


class Saturation:
    """Collects how late requests were sent, and those that were not."""

    def __init__(self, max_in_flight: int) -> None:
        self._max_in_flight = max_in_flight
        self._lag = Histogram()
        self._not_sent = 0
        self._cpu_at_start_s = time.process_time()

    def sent(self, lag_s: float) -> None:
        self._lag.record(lag_s)

    def not_sent(self) -> None:
        self._not_sent += 1

    def report(self, elapsed_s: float) -> GeneratorReport:
        p99 = self._lag.percentile(0.99)
        said = " ".join(filter(None, (self._say_late(p99), self._say_not_sent())))
        cpu_share = (time.process_time() - self._cpu_at_start_s) / elapsed_s if elapsed_s else 0.0
        longest = self._lag.max if self._lag.count else None
        return GeneratorReport(
            self._lag.percentile(0.50), p99, longest, self._not_sent, round(cpu_share, 3), bool(said), said
        )

    def _say_late(self, p99_s: float | None) -> str:
        if p99_s is None or p99_s <= LATE_S:
            return ""
        return f"The generator was late: 1% of the requests left {p99_s * 1000:.0f} ms or more after their time."

    def _say_not_sent(self) -> str:
        if not self._not_sent:
            return ""
        return f"{self._not_sent} requests were not sent: {self._max_in_flight} were already in flight."

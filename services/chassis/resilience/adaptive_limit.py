"""An adaptive limit on concurrency: how many requests this process can serve at once before they only wait for each other.

Nobody knows that number beforehand, and it changes; but latency tells. Netflix's Gradient2 (its library
concurrency-limits, `Gradient2Limit` and `WindowedLimit`; in the manner of TCP Vegas): with each window of time

    gradient = tolerance * usual latency / latency now,  within 0.5 to 1
    limit    = (1 - smoothing) * limit + smoothing * (gradient * limit + headroom)

Averages, not minima, as requests differ in what they do. The usual latency follows slowly, and comes down faster once
it is more than twice that of now, as after a long overload. A limit that is not made use of does not move: where nobody
comes, nothing is learned.
"""

from dataclasses import dataclass

from services.chassis.resilience.clock import Clock

_WARM_UP = 10
"""Windows whose plain mean the usual latency begins with."""


@dataclass(frozen=True)
class AdaptiveLimitConfig:
    """Where the limit begins and between what it moves, in requests at once.

    `headroom`: what it may grow by while latency is as usual. `tolerance`: how many times the usual latency is as usual.
    `window_s`: seconds between two looks, each at `window_samples` requests or more. `usual_windows`: how many windows it
    takes until what is usual has changed by two thirds.
    """

    initial: int
    least: int
    most: int
    headroom: int = 4
    smoothing: float = 0.2
    tolerance: float = 1.5
    window_s: float = 1.0
    window_samples: int = 10
    usual_windows: int = 600

    def __post_init__(self) -> None:
        if not 1 <= self.least <= self.initial <= self.most:
            raise ValueError(
                f"limits must be 1 or more, and rise from least to initial to most, "
                f"not {self.least}, {self.initial} and {self.most}"
            )
        self._check("headroom", "1 or more", self.headroom >= 1)
        self._check("smoothing", "above 0 to 1", 0 < self.smoothing <= 1)
        self._check("tolerance", "1 to 10", 1 <= self.tolerance <= 10)
        self._check("window_s", "above 0 s to 60 s", 0 < self.window_s <= 60)
        self._check("window_samples", "1 or more", self.window_samples >= 1)
        self._check("usual_windows", f"{_WARM_UP} or more", self.usual_windows >= _WARM_UP)

    def _check(self, name: str, must_be: str, holds: bool) -> None:
        if not holds:
            raise ValueError(f"{name} must be {must_be}, not {getattr(self, name)}")


class _Usual:
    """An average that forgets slowly; at first the mean."""

    def __init__(self, windows: int) -> None:
        self.value, self._count, self._weight = 0.0, 0, 2 / (windows + 1)

    def add(self, value: float) -> float:
        self._count = min(self._count + 1, _WARM_UP + 1)
        weight = 1 / self._count if self._count <= _WARM_UP else self._weight
        self.value += (value - self.value) * weight
        return self.value


class AdaptiveLimit:
    """The limit of one server. Fed in one thread; `value` may be read from any."""

    def __init__(self, config: AdaptiveLimitConfig, clock: Clock) -> None:
        self._config, self._clock = config, clock
        self._estimate = float(config.initial)
        self._usual = _Usual(config.usual_windows)
        self._ends = clock() + config.window_s
        self._count, self._sum_s, self._most_in_flight = 0, 0.0, 0

    @property
    def value(self) -> int:
        """Requests that may be served at once."""
        return int(self._estimate)

    def sample(self, duration_s: float, in_flight: int) -> None:
        """Takes one served request: how long it took, and how many were in flight when it began, itself included."""
        self._count += 1
        self._sum_s += duration_s
        self._most_in_flight = max(self._most_in_flight, in_flight)
        now = self._clock()
        if now >= self._ends:
            if self._count >= self._config.window_samples:
                self._learn(self._sum_s / self._count)
            self._ends = now + self._config.window_s
            self._count, self._sum_s, self._most_in_flight = 0, 0.0, 0

    def _learn(self, latency_s: float) -> None:
        config, usual_s = self._config, self._usual.add(latency_s)
        if usual_s > 2 * latency_s:
            self._usual.value *= 0.9
        if self._most_in_flight < self._estimate / 2:
            return
        gradient = max(0.5, min(1.0, config.tolerance * usual_s / latency_s)) if latency_s > 0 else 1.0
        wanted = gradient * self._estimate + config.headroom
        smoothed = (1 - config.smoothing) * self._estimate + config.smoothing * wanted
        self._estimate = max(float(config.least), min(float(config.most), smoothed))

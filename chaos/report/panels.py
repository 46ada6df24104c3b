"""What is drawn of an arm: panels over one time axis, as data. Pure.

Both axes are the same for all arms of a report, so that what looks higher is higher.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

Document = Mapping[str, Any]

Points = tuple[tuple[float, float | None], ...]


@dataclass(frozen=True)
class Line:
    """One series; a value of None is a gap. `colour` is a CSS colour, `name` for the legend."""

    name: str
    colour: str
    points: Points
    filled: bool = False


@dataclass(frozen=True)
class Lane:
    """One row of states: (from, to, CSS colour)."""

    name: str
    spans: tuple[tuple[float, float, str], ...]


@dataclass(frozen=True)
class Panel:
    """A drawing: lines or lanes over `x` seconds, with `windows` behind them; `said` writes a value of the y axis."""

    title: str
    unit: str
    x: tuple[float, float]
    x_ticks: Sequence[float]
    top: float
    y_ticks: Sequence[float]
    said: Callable[[float], str]
    lines: tuple[Line, ...] = ()
    lanes: tuple[Lane, ...] = ()
    windows: tuple[tuple[float, float], ...] = ()
    colours: Sequence[tuple[str, str]] = ()

    @property
    def legend(self) -> Sequence[tuple[str, str]]:
        """Name and colour of each line, or of what lanes are made of."""
        return self.colours or [(each.name, each.colour) for each in self.lines]


_STATES: Final = {
    "closed": "var(--good-fill)",
    "half_open": "var(--warn)",
    "open": "var(--bad)",
}
_ALERT_COLOURS: Final = (("quiet", "var(--good-fill)"), ("delivered, until its end was", "var(--bad)"))
_BREAKER_COLOURS: Final = (("closed", "var(--good-fill)"), ("half open", "var(--warn)"), ("open", "var(--bad)"))


@dataclass(frozen=True)
class Scales:
    """The ends of the axes, over all arms."""

    seconds: float
    rate: float
    latency_ms: float
    attempts: float
    in_flight: float


def scales(timelines: Sequence[Sequence[Document]]) -> Scales:
    """What holds every value of these timelines."""
    rows = [row for timeline in timelines for row in timeline]
    return Scales(
        seconds=max((row["at_s"] + 1 for row in rows), default=1),
        rate=nice(max((row["offered"] for row in rows), default=1)),
        latency_ms=nice(max((1000 * (row["p99_s"] or 0) for row in rows), default=1)),
        attempts=nice(max((_amplification(row) or 0 for row in rows), default=1)),
        in_flight=nice(max((row["in_flight"] for row in rows), default=1)),
    )


def panels(
    timeline: Sequence[Document], phases: Document, edge: str, common: Scales, alerts: Document | None = None
) -> Iterator[Panel]:
    """The panels of one arm, from what customers see inwards; `alerts` says which was delivered when."""
    frame = _Frame(timeline, phases, edge, common.seconds)
    yield frame.panel(
        "Requests per second",
        "1/s",
        common.rate,
        Line("offered", "var(--muted)", frame.points(lambda row: row["offered"])),
        Line("good", "var(--good)", frame.points(lambda row: row["good"]), filled=True),
    )
    yield frame.panel(
        "Latency, from when a request was due",
        "ms",
        common.latency_ms,
        Line("p99", "var(--p99)", frame.points(lambda row: _ms(row["p99_s"]))),
        Line("p50", "var(--p50)", frame.points(lambda row: _ms(row["p50_s"])), filled=True),
    )
    yield frame.panel(
        f"Attempts per call, {edge}",
        "attempts",
        max(common.attempts, 2.0),
        Line("attempts per call", "var(--attempts)", frame.points(_amplification), filled=True),
    )
    yield from frame.lanes()
    if alerts:
        yield frame.alert(alerts)
    yield frame.panel(
        "Requests in flight",
        "",
        common.in_flight,
        Line("in flight", "var(--flight)", frame.points(lambda row: row["in_flight"]), filled=True),
    )


@dataclass(frozen=True)
class _Frame:
    """What the panels of an arm share."""

    timeline: Sequence[Document]
    phases: Document
    edge: str
    seconds: float

    def points(self, value: Callable[[Document], float | None]) -> Points:
        """Each second's value, in its middle."""
        return tuple((row["at_s"] + 0.5, value(row)) for row in self.timeline)

    def panel(self, title: str, unit: str, top: float, *lines: Line) -> Panel:
        ticks = (0.0, top / 2, top)
        return Panel(title, unit, (0, self.seconds), self.x_ticks, top, ticks, _short, lines, windows=self.windows)

    def lanes(self) -> Iterator[Panel]:
        """The circuit breakers of the edge that is looked at, and of each that was not always closed."""
        seen = {(edge, state) for row in self.timeline for edge, state in row["breakers"].items()}
        edges = sorted({edge for edge, state in seen if state != "closed" or edge == self.edge})
        if edges:
            lanes = tuple(Lane(edge, tuple(self._spans(edge))) for edge in edges)
            yield self._of_lanes("Circuit breakers", lanes, _BREAKER_COLOURS)

    def alert(self, alerts: Document) -> Panel:
        """When the alert's notification was delivered, and when that of its end was."""
        begun_s, ended_s = (alerts[name] for name in ("firing_s", "resolved_s"))
        quiet, firing = (colour for _, colour in _ALERT_COLOURS)
        spans = [(0.0, self.seconds, quiet)]
        if begun_s is not None:
            ended_s = self.seconds if ended_s is None else ended_s
            spans = [(0.0, begun_s, quiet), (begun_s, ended_s, firing), (ended_s, self.seconds, quiet)]
        return self._of_lanes(f"Alert {alerts['alert']}", (Lane("alert", tuple(spans)),), _ALERT_COLOURS)

    def _of_lanes(self, title: str, lanes: tuple[Lane, ...], colours: Sequence[tuple[str, str]]) -> Panel:
        # Every lane is named beside its row, so that the axis has no numbers.
        middles = [len(lanes) - row - 0.5 for row in range(len(lanes))]
        named = {middle: each.name for middle, each in zip(middles, lanes, strict=True)}
        return Panel(
            title, "", (0, self.seconds), self.x_ticks, float(len(lanes)), middles,
            lambda value: named[value], lanes=lanes, windows=self.windows, colours=colours,
        )  # fmt: skip

    @property
    def x_ticks(self) -> list[float]:
        """Round moments."""
        step = next((each for each in (1, 2, 5, 10, 20, 30, 60, 120) if self.seconds / each <= 7), 300)
        return [float(each) for each in range(0, int(self.seconds) + 1, step)]

    @property
    def windows(self) -> tuple[tuple[float, float], ...]:
        """When the fault was there."""
        begun_s = self.phases.get("fault_s")
        if begun_s is None:
            return ()
        lifted_s = self.phases.get("lifted_s")
        return ((begun_s, self.seconds if lifted_s is None else lifted_s),)

    def _spans(self, edge: str) -> Iterator[tuple[float, float, str]]:
        """Stretches of one state: from the first sample that shows it to the next that shows another."""
        seen = [(float(row["at_s"]), row["breakers"].get(edge, "")) for row in self.timeline if row["breakers"]]
        changes = [
            (at_s, state) for index, (at_s, state) in enumerate(seen) if not index or seen[index - 1][1] != state
        ]
        for (start, state), (end, _) in pairwise([*changes, (self.seconds, "")]):
            if state:
                yield start, end, _STATES.get(state, "var(--muted)")


def nice(value: float) -> float:
    """The next of 1, 2, 3, 4, 6, 8 times a power of ten that is not below: half of it is round as well."""
    magnitude = 1.0
    while magnitude * 10 <= value:
        magnitude *= 10
    while magnitude > value > 0:
        magnitude /= 10
    return next((each * magnitude for each in (1, 2, 3, 4, 6, 8) if each * magnitude >= value), 10 * magnitude)


def _amplification(row: Document) -> float | None:
    calls, attempts = row["calls"], row["attempts"]
    return attempts / calls if calls and attempts is not None else None


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * 1000


def _short(value: float) -> str:
    return f"{value / 1000:g}k" if value >= 10_000 else f"{value:g}"

"""Which symptoms are there now. Pure: time, counts and scrapes are given."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from observability import semconv
from observability.alerting.counts import Key, Scrape, Stream, greatest
from observability.alerting.ring import Ring
from observability.alerting.states import Condition
from observability.alerting.targets import Target
from observability.stack.indicators import all_requests, of_metric
from observability.stack.objectives import Slo
from observability.stack.profiles import Profile
from observability.stack.prometheus.rules import NO_SEVERITY
from observability.stack.symptoms import Always, Down, Gauge, Rate, Silent

_SERVICE: Final = "service"


class Symptoms:
    """The memory of what symptoms are seen by."""

    def __init__(self, slo: Slo, profile: Profile) -> None:
        self._slo, self._profile = slo, profile
        self._streams = {name: stream for name in slo.symptoms if (stream := self._stream(name))}
        self._growing = {
            name: self._counters(name, each)
            for name, each in slo.symptoms.items()
            if isinstance(each, Gauge) and each.while_growing
        }
        self._rings: dict[Key, Ring] = {}
        self._answered: set[Target] = set()

    @property
    def streams(self) -> Sequence[Stream]:
        return (*self._streams.values(), *self._growing.values())

    def conditions(self, now_s: float, totals: Mapping[Key, float], scrapes: Sequence[Scrape]) -> Iterator[Condition]:
        """Takes what is now, and gives the symptoms."""
        self._answered |= {each.target for each in scrapes if each.samples is not None}
        for name, symptom in self._slo.symptoms.items():
            match symptom:
                case Gauge():
                    yield from self._above(name, symptom, self._gauges(name, symptom, now_s, totals, scrapes))
                case Rate():
                    over_s = self._profile.length_s(symptom.over)
                    grown = self._grown(name, now_s, over_s, totals)
                    yield from self._above(name, symptom, {key: value / over_s for key, value in grown.items()})
                case Silent():
                    grown = self._grown(name, now_s, self._profile.length_s(symptom.over), totals)
                    for key in [key for key, value in grown.items() if value == 0]:
                        yield self._condition(name, symptom.severity, (_SERVICE,), key.values, 0.0)
                case Down():
                    yield from self._down(name, scrapes)
                case Always():
                    yield self._condition(name, NO_SEVERITY, (), (), 1.0)

    def _stream(self, name: str) -> Stream | None:
        match self._slo.symptoms[name]:
            case Gauge() | Rate() as symptom:
                by = (_SERVICE, *map(semconv.prometheus_label, symptom.by))
                return Stream(name, (of_metric(symptom.declared, symptom.where),), by)
            case Silent():
                return Stream(name, all_requests(self._slo.objectives), (_SERVICE,))
            case _:
                return None

    @staticmethod
    def _counters(name: str, symptom: Gauge) -> Stream:
        """What must grow for the gauge to matter."""
        by = (_SERVICE, *map(semconv.prometheus_label, symptom.by))
        return Stream(f"{name}/growing", tuple(of_metric(each, {}) for each in symptom.counters), by)

    def _gauges(
        self, name: str, symptom: Gauge, now_s: float, totals: Mapping[Key, float], scrapes: Sequence[Scrape]
    ) -> Mapping[Key, float]:
        values = greatest(self._streams[name], scrapes)
        if symptom.over is None:
            return values
        grown = self._grown(self._growing[name].name, now_s, self._profile.length_s(symptom.over), totals)
        growing = {key.values for key, value in grown.items() if value > 0}
        return {key: value for key, value in values.items() if key.values in growing}

    def _above(self, name: str, symptom: Gauge | Rate, values: Mapping[Key, float]) -> Iterator[Condition]:
        for key, value in values.items():
            if value > symptom.above:
                yield self._condition(name, symptom.severity, symptom.labels, key.values, value)

    def _grown(self, stream: str, now_s: float, window_s: float, totals: Mapping[Key, float]) -> dict[Key, float]:
        """How much each of a stream's counts grew over the window."""
        found = {}
        for key in [key for key in totals if key.stream == stream]:
            count = totals[key]
            ring = self._rings.setdefault(key, Ring(1, window_s, self._profile.scrape_interval_s))
            ring.append(now_s, [count])
            (found[key],) = ring.increases(now_s, window_s, [count])
        return found

    def _down(self, name: str, scrapes: Iterable[Scrape]) -> Iterator[Condition]:
        """Of services that have answered at least once: one that still starts is not down."""
        answers: defaultdict[str, list[bool]] = defaultdict(list)
        for each in scrapes:
            if each.target in self._answered:
                answers[each.target.service].append(each.samples is not None)
        for service, found in answers.items():
            for severity, bad in (("page", not any(found)), ("ticket", not all(found))):
                if bad:
                    yield self._condition(name, severity, (_SERVICE, "callee"), (service, service), 0.0)

    def _condition(
        self, name: str, severity: str, labels: Sequence[str], values: Sequence[str], value: float
    ) -> Condition:
        window = self._slo.symptoms[name].lasting
        told = {"alertname": name, "severity": severity, **dict(zip(labels, values, strict=True))}
        return Condition(tuple(sorted(told.items())), value, self._profile.length_s(window) if window else 0.0)

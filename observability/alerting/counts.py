"""From what processes tell to counts that only grow: summed over replicas, counter resets survived. Pure.

A counter that is lower than before was reset: its process began anew, and all it shows came since. A series that is new at
a process which was asked before began at 0, so that a first error counts; of a process that is asked for the first time
nothing is known of before.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from observability.alerting.targets import Target
from observability.exposition import Samples, Series
from observability.stack.indicators import Selection


@dataclass(frozen=True)
class Scrape:
    """What a process told, or None when it did not answer."""

    target: Target
    samples: Samples | None


@dataclass(frozen=True)
class Stream:
    """Something that is counted: all series that one of `selections` matches, apart by the values of the labels `by`."""

    name: str
    selections: tuple[Selection, ...]
    by: tuple[str, ...] = ()

    def key(self, series: Series, service: str) -> "Key | None":
        """Where the series is counted; None if it is not."""
        labels = {**dict(series.labels), "service": service}
        if not any(each.series == series.name and each.matches(labels) for each in self.selections):
            return None
        return Key(self.name, tuple(labels.get(name, "") for name in self.by))


@dataclass(frozen=True)
class Key:
    """A stream and the values of its labels."""

    stream: str
    values: tuple[str, ...] = ()


class Counts:
    """The growing counts of `streams`."""

    def __init__(self, streams: Sequence[Stream]) -> None:
        self._streams = streams
        self._last: dict[Target, Samples] = {}
        self._keys: dict[tuple[str, Series], tuple[Key, ...]] = {}
        self.totals: defaultdict[Key, float] = defaultdict(float)

    def add(self, scrapes: Iterable[Scrape]) -> None:
        """Takes one round of scrapes."""
        for each in scrapes:
            if each.samples is not None:
                self._add(each.target, each.samples)

    def _add(self, target: Target, samples: Samples) -> None:
        before = self._last.get(target)
        for series, value in samples.items():
            for key in self._keys_of(target.service, series):
                self.totals[key] += 0.0 if before is None else grown(before.get(series, 0.0), value)
        self._last[target] = samples

    def _keys_of(self, service: str, series: Series) -> tuple[Key, ...]:
        found = self._keys.get((service, series))
        if found is None:
            found = tuple(key for each in self._streams if (key := each.key(series, service)))
            self._keys[service, series] = found
        return found


def grown(before: float, now: float) -> float:
    """What a counter counted in between."""
    return now - before if now >= before else now


def greatest(stream: Stream, scrapes: Iterable[Scrape]) -> Mapping[Key, float]:
    """The greatest value that a gauge has now, for each combination of the stream's labels."""
    found: dict[Key, float] = {}
    for scrape in scrapes:
        for series, value in (scrape.samples or {}).items():
            if key := stream.key(series, scrape.target.service):
                found[key] = max(value, found.get(key, value))
    return found

"""What was scraped, and how counters grew over it: bounded, and not misled by a process that begins anew."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from observability.exposition import Samples, Series

MOST: Final = 2_400  # samples that are kept: twenty minutes at two a second

Chosen = Callable[[Series], bool]


@dataclass(frozen=True)
class ProcessSeen:
    """A process as the supervisor told it."""

    state: str
    pid: int | None


@dataclass(frozen=True)
class Sample:
    """The system at one moment, `at_s` seconds after the run began. Who did not answer is missing in `metrics`."""

    at_s: float
    metrics: Mapping[str, Samples] = field(default_factory=dict)  # by instance
    processes: Mapping[str, ProcessSeen] = field(default_factory=dict)  # by instance

    def total(self, chosen: Chosen, instances: Sequence[str] = ()) -> float:
        """The sum of the chosen series, over all instances or those."""
        return sum(
            value
            for instance, samples in self.metrics.items()
            if not instances or instance in instances
            for series, value in samples.items()
            if chosen(series)
        )


class Ring:
    """The latest samples, oldest first. One thread at a time adds, others read copies."""

    def __init__(self, most: int = MOST) -> None:
        self._samples: deque[Sample] = deque(maxlen=most)

    def add(self, sample: Sample) -> None:
        self._samples.append(sample)

    def all(self) -> tuple[Sample, ...]:
        return tuple(self._samples)

    @property
    def latest(self) -> Sample | None:
        return self._samples[-1] if self._samples else None


def increase(samples: Sequence[Sample], chosen: Chosen) -> float:
    """By how much the chosen counters grew from the first of the samples to the last, all instances together.

    A counter that fell was reset with its process, and what it shows has grown since (as Prometheus's `increase` takes
    it, without extrapolating). A series that appears later grew from 0, unless its instance was never seen before.
    """
    return sum(amount for _, amount in increases(samples, chosen))


def increases(samples: Sequence[Sample], chosen: Chosen) -> Iterator[tuple[float, float]]:
    """For each sample but the first: its time, and the growth since the one before."""
    known: dict[str, dict[Series, float]] = {}
    for index, sample in enumerate(samples):
        grown = sum(_grown(known, instance, metrics, chosen) for instance, metrics in sample.metrics.items())
        if index:
            yield sample.at_s, grown


def _grown(known: dict[str, dict[Series, float]], instance: str, metrics: Samples, chosen: Chosen) -> float:
    before = known.get(instance)
    now = {series: value for series, value in metrics.items() if chosen(series)}
    known[instance] = {**(before or {}), **now}
    if before is None:
        return 0.0
    return sum(
        value - before.get(series, 0.0) if value >= before.get(series, 0.0) else value for series, value in now.items()
    )


def around(samples: Sequence[Sample], start_s: float, end_s: float) -> tuple[Sample, ...]:
    """The samples that say what happened from `start_s` to `end_s`: with the last before it and the first after it."""
    if not samples:
        return ()
    first = max((index for index, each in enumerate(samples) if each.at_s <= start_s), default=0)
    last = min((index for index, each in enumerate(samples) if each.at_s >= end_s), default=len(samples) - 1)
    return tuple(samples[first : last + 1])


def pid_changes(samples: Sequence[Sample], instance: str) -> int:
    """How often the process was another one, or gone, than at the sample before."""
    seen = [each.processes[instance].pid for each in samples if instance in each.processes]
    return sum(before != after for before, after in pairwise(seen))

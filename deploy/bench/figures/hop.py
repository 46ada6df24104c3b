"""What being observed costs a hop: how much of what a bare handler serves it still serves with telemetry around it."""

from collections.abc import Callable, Sequence
from statistics import median
from typing import Final

from deploy.bench.figure import Benchmark, Measured, Say
from deploy.bench.hop.app import Variant
from deploy.bench.hop.cores import kept_to, two_cores
from deploy.bench.hop.server import Hop, Turn, running
from deploy.bench.hop.sink import sink
from deploy.bench.paired import Pairs, measure_pairs

_PAIRS: Final = 9
_TURN_S: Final = 1.0
_PROFILE_S: Final = 3.0


def _measure(variant: Variant, say: Say) -> Measured:
    """The median of the ratios of pairs measured turn by turn. Raises `FigureRefusedError`."""
    serving, asking = two_cores()
    with (
        kept_to(asking),
        sink() as collector,
        running(Variant.BARE, collector, serving) as bare,
        running(variant, collector, serving) as observed,
    ):
        turns = _Turns(bare), _Turns(observed)
        pairs = measure_pairs(turns[0].request_us, turns[1].request_us, _PAIRS, _told(say))
        return Measured(pairs.ratios.median, f"{_detail(variant, pairs, *turns)}; {_profiled(observed)}")


def _told(say: Say) -> Callable[[int], None]:
    def tell(number: int) -> None:
        if number % 3 == 0:
            say(f"pair {number} of {_PAIRS}")

    return tell


class _Turns:
    """The turns of one hop so far."""

    def __init__(self, hop: Hop) -> None:
        self.hop, self._turns = hop, list[Turn]()

    def request_us(self) -> float:
        """Takes one more; processor time of a request."""
        self._turns.append(self.hop.turn(_TURN_S))
        return self._turns[-1].request_us

    def median(self, value: Callable[[Turn], float]) -> float:
        """Of the turns that count."""
        return median(value(turn) for turn in self._turns[1:])


def _detail(variant: Variant, pairs: Pairs, bare: _Turns, observed: _Turns) -> str:
    exported = observed.median(lambda turn: turn.in_other_threads)
    rates = [turns.median(lambda turn: turn.per_second) for turns in (bare, observed)]
    return (
        f"ratio {pairs.ratios}; processor time of a request: bare {pairs.ours} us, {variant} {pairs.theirs} us, of which"
        f" {exported:.0%} for exporting{_lost(observed.hop)}; {rates[0]:.0f} and {rates[1]:.0f} requests/s on one core by the"
        f" clock; medians (least to largest) of {_PAIRS} alternating pairs"
    )


def _profiled(hop: Hop) -> str:
    shares = ", ".join(f"{owner} {share:.0%}" for owner, share in hop.profile(_PROFILE_S).items())
    return f"of the serving thread's time, sampled: {shares}"


def _lost(hop: Hop) -> str:
    spans = hop.spans()
    lost = sum(count for result, count in spans.items() if result != "exported")
    return f" ({lost / sum(spans.values()):.1%} of its spans were lost)" if lost else ""


def _benchmark(variant: Variant, about: str, goal: float) -> Benchmark:
    return Benchmark(
        name=f"hop/{variant}",
        about=f"requests that one core serves, of those that a bare handler serves: {about}",
        unit="x",
        goal=goal,
        better="higher",
        measure=lambda say: _measure(variant, say),
    )


BENCHMARKS: Final[Sequence[Benchmark]] = (
    _benchmark(Variant.METERED, "metered", 0.6),
    _benchmark(Variant.TRACED, "traced by OpenTelemetry's instrumentation of FastAPI", 0.3),
    _benchmark(Variant.BOTH, "metered, and traced by OpenTelemetry's instrumentation of FastAPI", 0.3),
    _benchmark(Variant.LEAN, "metered, and traced by our own middleware", 0.45),
)

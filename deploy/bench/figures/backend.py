"""The trace backend: what it takes, how quickly it finds, and what memory it needs when it is full."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from statistics import median
from typing import Final
from urllib.parse import urlencode

from deploy.bench.backend import floor
from deploy.bench.backend.process import Backend, running
from deploy.bench.backend.spans import FIRST_NS, OPERATION, SERVICES, requests
from deploy.bench.figure import Benchmark, FigureRefusedError, Measured, Say
from deploy.bench.paired import Pairs, measure_pairs

_PAIRS: Final = 7
_PER_REQUEST: Final = 512  # what the SDK sends at most
_SPANS_PER_TRACE: Final = 14  # a checkout's, about
_TRACES: Final = 1000
_FOUND: Final = 20
_TIMES: Final = 10
_NONE_HAS: Final = "by a tag that none has"
_FILLINGS: Final = 4
_FILLING: Final = 4500  # traces; with all of them there are more spans than the backend keeps

Send = Callable[[Backend, Sequence[bytes]], None]


def _measure_taking(send: Send, say: Say) -> Measured:
    """The median of the ratios of pairs measured turn by turn, each turn with spans of its own."""
    spans, seeds, clock = _TRACES * _SPANS_PER_TRACE, count(), list[float]()
    with running(MAX_SPANS=str(2 * spans * (_PAIRS + 1)), MAX_BYTES=str(10**9)) as backend:

        def take() -> float:
            messages = requests(_TRACES, _SPANS_PER_TRACE, _PER_REQUEST, next(seeds))
            began, spent = time.perf_counter(), backend.spent_s()
            send(backend, messages)
            clock.append(spans / (time.perf_counter() - began))
            return (backend.spent_s() - spent) / spans * 1e6

        def least() -> float:
            messages = requests(_TRACES, _SPANS_PER_TRACE, _PER_REQUEST, next(seeds))
            began = time.thread_time()
            for message in messages:
                floor.read(message)
            return (time.thread_time() - began) / spans * 1e6

        pairs = measure_pairs(least, take, _PAIRS, lambda n: say(f"pair {n} of {_PAIRS}"))
        if (taken := backend.taken()) != spans * (_PAIRS + 1):
            raise FigureRefusedError(f"of {spans * (_PAIRS + 1)} spans {taken} were taken")
    return Measured(pairs.ratios.median, _taking(pairs, clock))


def _taking(pairs: Pairs, clock: Sequence[float]) -> str:
    return (
        f"ratio {pairs.ratios}; processor time of a span: only decoded and read {pairs.ours} us, taken {pairs.theirs} us, so"
        f" {1e6 / pairs.theirs.median:.0f} spans/s on a core; {median(clock[1:]):.0f} spans/s by the clock; none was lost;"
        f" medians (least to largest) of {_PAIRS} alternating pairs"
    )


def _measure_search(say: Say) -> Measured:
    """The slowest of several kinds of search. Raises `FigureRefusedError` where one finds what it should not."""
    say("sending 10,000 traces")
    with running() as backend:
        backend.export_over_grpc(requests(traces=10_000, spans_per_trace=5, spans_per_request=_PER_REQUEST))
        searched = {
            name: _asked(backend, path, 0 if name == _NONE_HAS else _FOUND) for name, path in _searches().items()
        }
    slowest = max(searched.values(), key=lambda each: each.processor_ms)
    each = ", ".join(f"{name} {asked}" for name, asked in searched.items())
    return Measured(
        slowest.processor_ms,
        f"{each}; the backend's processor time for one of {_TIMES}, and the median by the clock; the slowest counts",
    )


@dataclass(frozen=True)
class _Searched:
    """Milliseconds that a search took: of the backend's processor time, on average, and by the clock."""

    processor_ms: float
    clock_ms: float

    def __str__(self) -> str:
        return f"{self.processor_ms:.0f} ms ({self.clock_ms:.0f} ms)"


def _searches() -> dict[str, str]:
    # Times in microseconds; without them only the last days are searched.
    common = {"service": SERVICES[0], "limit": str(_FOUND), "start": "1", "end": str(FIRST_NS // 1000 * 2)}
    asked = {
        "newest": common,
        "by operation": {**common, "operation": OPERATION},
        "by tag": {**common, "tags": '{"http.response.status_code": "201"}'},
        _NONE_HAS: {**common, "tags": '{"http.response.status_code": "599"}'},
        "by duration": {**common, "minDuration": "90ms"},
    }
    return {name: f"/api/traces?{urlencode(query)}" for name, query in asked.items()}


def _asked(backend: Backend, path: str, expected: int) -> _Searched:
    before = backend.spent_s()
    clock = [_took_ms(backend, path, expected) for _ in range(_TIMES)]
    return _Searched((backend.spent_s() - before) / _TIMES * 1e3, median(clock))


def _took_ms(backend: Backend, path: str, expected: int) -> float:
    began = time.perf_counter()
    found = len(backend.get(path)["data"])
    took = time.perf_counter() - began
    if found != expected:
        raise FigureRefusedError(f"{path} found {found} traces, not {expected}")
    return took * 1e3


def _measure_full(say: Say) -> Measured:
    """What it has more at its bound than when it was empty."""
    with running() as backend:
        empty = backend.memory_mb()
        say("filling it beyond its bound")
        for seed in range(_FILLINGS):
            backend.export_over_grpc(requests(_FILLING, _SPANS_PER_TRACE, _PER_REQUEST, seed))
        full = backend.memory_mb()
    return Measured(
        full - empty,
        f"{empty:.0f} MB empty, {full:.0f} MB after {_FILLINGS * _FILLING * _SPANS_PER_TRACE} spans, of"
        " which it keeps what its bounds allow",
    )


BENCHMARKS: Final[Sequence[Benchmark]] = (
    *(
        Benchmark(
            name=f"backend/{transport}",
            about=f"spans that the trace backend takes over {transport}, of those that are only decoded and read",
            unit="x",
            goal=0.3,
            better="higher",
            measure=lambda say, send=send: _measure_taking(send, say),  # type: ignore[misc]  # bound for each
        )
        for transport, send in (("grpc", Backend.export_over_grpc), ("http", Backend.export_over_http))
    ),
    Benchmark("backend/search", "a search over 10,000 traces", "ms", 100, "lower", _measure_search),
    Benchmark(
        "backend/full", "memory of a full trace backend beyond that of an empty one", "MB", 300, "lower", _measure_full
    ),
)

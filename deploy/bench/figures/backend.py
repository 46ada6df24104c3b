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
_LISTED: Final = 100  # by the page, unless it is told otherwise
_TIMES: Final = 10
_LEAST_PER_S: Final = 5_000
_ON_PAGE: Final = 'type="checkbox" name="id"'  # to be ticked, once for each that is listed
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
        refuse_loss(spans * (_PAIRS + 1), backend.taken(), backend.dropped())
    refuse_slowness(median(clock[1:]))
    return Measured(pairs.ratios.median, _taking(pairs, clock))


def refuse_loss(sent: int, taken: int, dropped: int) -> None:
    """Raises `FigureRefusedError` unless all spans were taken, and kept."""
    if taken != sent:
        raise FigureRefusedError(f"of {sent} spans {taken} were taken")
    if dropped:
        raise FigureRefusedError(f"of {sent} spans {dropped} were dropped")


def refuse_slowness(spans_per_s: float) -> None:
    """Raises `FigureRefusedError` below the rate that a backend takes whatever it costs."""
    if spans_per_s < _LEAST_PER_S:
        raise FigureRefusedError(f"{spans_per_s:.0f} spans/s by the clock, and {_LEAST_PER_S} is the least")


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
        searched = {name: _asked(backend, search) for name, search in SEARCHES.items()}
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


@dataclass(frozen=True)
class Search:
    """A search, of the query API or on the page, and how many traces it finds among those that are sent."""

    path: str
    expected: int
    on_page: bool = False

    def found(self, backend: Backend) -> int:
        """How many it finds there."""
        return backend.page(self.path).count(_ON_PAGE) if self.on_page else len(backend.get(self.path)["data"])


def _of_service(expected: int = _FOUND, **asked: str) -> Search:
    # Times in microseconds; without them only the last days are searched.
    common = {"service": SERVICES[0], "limit": str(_FOUND), "start": "1", "end": str(FIRST_NS // 1000 * 2)}
    return Search(f"/api/traces?{urlencode(common | asked)}", expected)


def _of_all(expected: int, status: int) -> Search:
    """As somebody searches who fills in nothing but a tag: through all services and times."""
    return Search(f"/?{urlencode({'tags': f'http.response.status_code={status}'})}", expected, on_page=True)


SEARCHES: Final = {
    "newest": _of_service(),
    "by operation": _of_service(operation=OPERATION),
    "by tag": _of_service(tags='{"http.response.status_code": "201"}'),
    "by a tag that none has": _of_service(0, tags='{"http.response.status_code": "599"}'),
    "by duration": _of_service(minDuration="90ms"),
    "on the page, by tag": _of_all(_LISTED, 201),
    "on the page, by a tag that none has": _of_all(0, 599),
}


def _asked(backend: Backend, search: Search) -> _Searched:
    before = backend.spent_s()
    clock = [_took_ms(backend, search) for _ in range(_TIMES)]
    return _Searched((backend.spent_s() - before) / _TIMES * 1e3, median(clock))


def _took_ms(backend: Backend, search: Search) -> float:
    began = time.perf_counter()
    found = search.found(backend)
    took = time.perf_counter() - began
    if found != search.expected:
        raise FigureRefusedError(f"{search.path} found {found} traces, not {search.expected}")
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

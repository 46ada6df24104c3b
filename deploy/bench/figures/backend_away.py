"""What customers notice when the trace backend is killed: the slowest requests without it, against those with it."""

import http.client
import tempfile
import time
from pathlib import Path
from statistics import quantiles
from typing import Final
from urllib.parse import urlsplit

from deploy.bench.figure import Benchmark, FigureRefusedError, Measured, Say
from deploy.bench.paired import Measure, Pairs, measure_pairs
from deploy.system import System, start_system
from deploy.topology import BACKEND

_PAIRS: Final = 9
_REQUESTS: Final = 400
_PATH: Final = "/api/v1/products?limit=5"
_INSTANCE: Final = f"{BACKEND}-1"
_HELD_DOWN_S: Final = 600.0
_BACK_WITHIN_S: Final = 60.0
_POLL_S: Final = 0.05


def measure(say: Say) -> Measured:
    """The median of the ratios of pairs measured turn by turn. Raises `FigureRefusedError` where a request fails."""
    with tempfile.TemporaryDirectory(prefix="faultline-bench-") as folder:
        say("starting the system")
        with start_system(Path(folder)) as system:
            away, there = _slowest(system, away=True), _slowest(system, away=False)
            pairs = measure_pairs(away, there, _PAIRS, lambda n: say(f"pair {n} of {_PAIRS}"))
    return Measured(pairs.ratios.median, _detail(pairs))


def _slowest(system: System, *, away: bool) -> Measure:
    def measured() -> float:
        (_kill if away else _bring_back)(system)
        return _p99_ms(system)

    return measured


def _kill(system: System) -> None:
    if system.supervisor.process(_INSTANCE)["state"] == "ready":
        system.supervisor.kill(_INSTANCE, _HELD_DOWN_S)


def _bring_back(system: System) -> None:
    if system.supervisor.process(_INSTANCE)["state"] != "ready":
        system.supervisor.restart(_INSTANCE)
    give_up = time.monotonic() + _BACK_WITHIN_S
    while system.supervisor.process(_INSTANCE)["state"] != "ready":
        if time.monotonic() > give_up:
            raise FigureRefusedError(f"the trace backend is not back within {_BACK_WITHIN_S:g} s")
        time.sleep(_POLL_S)


def _p99_ms(system: System) -> float:
    """Of so many requests, one after another on one connection."""
    connection = http.client.HTTPConnection(urlsplit(system.gateway_url).netloc, timeout=30)
    headers = {"X-API-Key": system.key("demo").key}
    try:
        return quantiles([_request_ms(connection, headers) for _ in range(_REQUESTS)], n=100)[98]
    except (OSError, http.client.HTTPException) as exc:
        raise FigureRefusedError(f"a request got no answer: {exc!r}") from exc
    finally:
        connection.close()


def _request_ms(connection: http.client.HTTPConnection, headers: dict[str, str]) -> float:
    began = time.perf_counter()
    connection.request("GET", _PATH, headers=headers)
    answer = connection.getresponse()
    answer.read()
    if answer.status != http.HTTPStatus.OK:
        raise FigureRefusedError(f"a request was answered with {answer.status}")
    return (time.perf_counter() - began) * 1000


def _detail(pairs: Pairs) -> str:
    return (
        f"ratio {pairs.ratios}; p99 without the backend {pairs.ours} ms, with it {pairs.theirs} ms; medians (least to"
        f" largest) of {_PAIRS} alternating pairs of {_REQUESTS} reads, one after another; all were answered well"
    )


BENCHMARK: Final = Benchmark(
    name="backend-away",
    about="the slowest of a hundred requests while the trace backend is killed against while it is there",
    unit="x",
    goal=1.1,
    better="lower",
    measure=measure,
)

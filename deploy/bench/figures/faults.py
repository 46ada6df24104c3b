"""What a request pays for the possibility of a fault while there is none: an application with the step and one without."""

import asyncio
import io
import time
from typing import Any, Final

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.types import Message

from deploy.bench.figure import Benchmark, Measured, Say
from deploy.bench.paired import Measure, Pairs, measure_pairs
from observability.telemetry import Telemetry, TelemetryConfig, start
from services.chassis.faults.site import FaultSite
from services.chassis.http.app import create
from services.chassis.http.middleware import DeadlineGate
from services.contracts.errors import CATALOGUE

_PAIRS: Final = 15
_REQUESTS: Final = 400
_PATH: Final = "/v1/orders"


def measure(say: Say) -> Measured:
    """The median of the ratios of pairs measured turn by turn, each of so many requests, without a network."""
    telemetry = start(TelemetryConfig("bench", "0", "bench-1", otlp_endpoint=None), log_stream=io.StringIO())
    try:
        hurtable, plain = _app(telemetry, hurtable=True), _app(telemetry, hurtable=False)
        pairs = measure_pairs(_asked(hurtable), _asked(plain), _PAIRS, lambda n: say(f"pair {n} of {_PAIRS}"))
    finally:
        telemetry.shutdown()
    return Measured(pairs.ratios.median, _detail(pairs))


def _app(telemetry: Telemetry, *, hurtable: bool) -> FastAPI:
    steps = [Middleware(DeadlineGate, cap=60.0)]
    if hurtable:
        steps.append(FaultSite("bench", telemetry, CATALOGUE, enabled=True).http())
    app = create(telemetry, CATALOGUE, steps)

    @app.get(_PATH)
    async def answer() -> dict[str, str]:
        return {"status": "confirmed"}

    return app


def _asked(app: FastAPI) -> Measure:
    return lambda: asyncio.run(_microseconds(app))


async def _microseconds(app: FastAPI) -> float:
    """Microseconds that a request takes, of many one after another."""
    began = time.perf_counter()
    for _ in range(_REQUESTS):
        await app(_scope(), _receive, _send)
    return (time.perf_counter() - began) / _REQUESTS * 1e6


def _scope() -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": _PATH,
        "raw_path": _PATH.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"127.0.0.1")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }


async def _receive() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


async def _send(_: Message) -> None:
    """Nobody reads the answer."""


def _detail(pairs: Pairs) -> str:
    return (
        f"ratio {pairs.ratios}; with the step {pairs.ours} µs a request, without it {pairs.theirs} µs; medians (least to"
        f" largest) of {_PAIRS} alternating pairs of {_REQUESTS} requests, traced and measured, in one process"
    )


BENCHMARK: Final = Benchmark(
    name="no-fault-cost",
    about="a request to an application that can be hurt against one that cannot, while no fault is in force",
    unit="x",
    goal=1.02,
    better="lower",
    measure=measure,
)

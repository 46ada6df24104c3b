"""Every figure there is, in the order in which they are measured."""

from collections.abc import Sequence
from typing import Final

from deploy.bench.figure import Benchmark
from deploy.bench.figures import (
    backend,
    backend_away,
    checkout,
    faults,
    first_paint,
    hop,
    memory,
    outage,
    pipeline,
    startup,
)

BENCHMARKS: Final[Sequence[Benchmark]] = (
    startup.BENCHMARK,
    memory.BENCHMARK,
    faults.BENCHMARK,
    backend_away.BENCHMARK,
    *hop.BENCHMARKS,
    *checkout.BENCHMARKS,
    *backend.BENCHMARKS,
    first_paint.BENCHMARK,
    *pipeline.BENCHMARKS,
    *outage.BENCHMARKS,
)

"""Every figure there is, in the order in which they are measured."""

from collections.abc import Sequence
from typing import Final

from deploy.bench.figure import Benchmark
from deploy.bench.figures import backend, checkout, faults, hop, memory, pipeline, startup

BENCHMARKS: Final[Sequence[Benchmark]] = (
    startup.BENCHMARK,
    memory.BENCHMARK,
    faults.BENCHMARK,
    *hop.BENCHMARKS,
    *checkout.BENCHMARKS,
    *backend.BENCHMARKS,
    *pipeline.BENCHMARKS,
)

"""Tail sampling: a trace is kept or dropped as a whole, once all of it is likely to be there.

    OTLP → batches → span metrics
                   ↘ decision → storage

What failed, what was slow and what a fault touched is kept. Span metrics count every span, as they come before the decision.
Its options are those of the OpenTelemetry Collector's processor `tail_sampling`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from observability import semconv

PROCESSOR: Final = "tail_sampling"
CONNECTOR: Final = "forward/kept"

# Of a few requests per second, each awaited for some seconds; and those whose late spans follow what was decided.
_MOST_WAITING: Final = 10_000
_MOST_DECIDED: Final = 20_000


@dataclass(frozen=True)
class Sampling:
    """A trace that takes `slow_ms` or longer is slow; `wait_s` is how long its spans are waited for."""

    slow_ms: int
    wait_s: int = 5


def processor(sampling: Sampling) -> Mapping[str, Any]:
    """A trace is kept when one of the policies wants it."""
    return {
        "decision_wait": f"{sampling.wait_s}s",
        "num_traces": _MOST_WAITING,
        "decision_cache": {"sampled_cache_size": _MOST_DECIDED, "non_sampled_cache_size": _MOST_DECIDED},
        "policies": [
            {"name": "failed", "type": "status_code", "status_code": {"status_codes": ["ERROR"]}},
            {"name": "slow", "type": "latency", "latency": {"threshold_ms": sampling.slow_ms}},
            {"name": "touched-by-a-fault", "type": "string_attribute", "string_attribute": _any(semconv.FAULT_ID)},
        ],
    }


def pipelines(storage: str, metrics: str) -> Mapping[str, Any]:
    """Those of traces, with these exporters."""
    return {
        "traces": {"receivers": ["otlp"], "processors": ["batch"], "exporters": [metrics, CONNECTOR]},
        "traces/kept": {"receivers": [CONNECTOR], "processors": [PROCESSOR], "exporters": [storage]},
    }


def _any(attribute: str) -> Mapping[str, Any]:
    """Spans that have the attribute, whatever its value."""
    return {"key": attribute, "values": [".+"], "enabled_regex_matching": True}

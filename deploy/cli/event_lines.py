"""What policies and faults did to a call, as a line for each event of its span. Pure."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from observability import semconv

Fields = Mapping[str, str]


_STOPPED_BY: Final[Mapping[str, str]] = MappingProxyType(
    {
        "attempts": "as many were made as may be",
        "budget": "the retry budget has none left",
        "deadline": "it would come too late",
        "pushback": "the peer asks not to",
        "retried": "who is closer to the failure has retried",
        "unsafe": "it may have taken effect",
    }
)


def _milliseconds(fields: Fields) -> str:
    told = fields.get(semconv.DELAY_MS, "")
    try:
        return f"{float(told):.3g} ms"
    except ValueError:
        return told  # another's span, with an event of the same name


def _state(value: str) -> str:
    return value.replace("_", " ")


_LINES: Final[Mapping[str, Callable[[Fields], str]]] = MappingProxyType(
    {
        semconv.EVENT_FAULT_INJECTED: lambda it: (
            f"injected fault: {it.get(semconv.FAULT_KIND, '')} ({it.get(semconv.FAULT_ID, '')})"
        ),
        semconv.EVENT_BREAKER: lambda it: (
            f"circuit breaker: {_state(it.get(semconv.BREAKER_OLD_STATE, ''))} → {_state(it.get(semconv.BREAKER_STATE, ''))}"
        ),
        semconv.EVENT_BREAKER_REJECTED: lambda it: (
            f"circuit breaker {_state(it.get(semconv.BREAKER_STATE, ''))}: the peer was not called"
        ),
        semconv.EVENT_BUDGET_EXHAUSTED: lambda _: "retry budget exhausted",
        semconv.EVENT_RETRY_STOPPED: lambda it: (
            f"no further attempt: {_STOPPED_BY.get(it.get(semconv.RETRY_STOPPED_BY, ''), '')}"
        ),
        semconv.EVENT_HEDGE: lambda it: f"hedge: a second attempt after {_milliseconds(it)}",
        semconv.EVENT_HEDGE_ENDED: lambda it: f"hedge {it.get(semconv.HEDGE_RESULT, '')}",
        semconv.EVENT_BULKHEAD_QUEUED: lambda it: f"bulkhead: queued for {_milliseconds(it)}",
        semconv.EVENT_BULKHEAD_REJECTED: lambda it: f"bulkhead full: rejected after {_milliseconds(it)}",
        semconv.EVENT_FALLBACK: lambda it: f"fallback {it.get(semconv.FALLBACK_RESULT, '')}",
        semconv.EVENT_SERVER_SHED: lambda _: "shed: the server had too much to do",
    }
)


def line(event: str, fields: Fields) -> str:
    """In a few words, or empty for an event that says nothing about policies or faults."""
    return _LINES[event](fields) if event in _LINES else ""

"""Reads traces by their ids, and says which of a run's requests can be seen as a trace."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from chaos.measure.errors import AwayError, MeasureError, RefusedError
from chaos.measure.http import get_text
from chaos.measure.requests import Request

JaegerTrace = dict[str, Any]
"""One element of `data` in Jaeger's answer."""

_TIMEOUT_S: Final = 10.0
_AT_A_TIME: Final = 4
_POLL_S: Final = 0.25


@dataclass(frozen=True)
class Coverage:
    """How many of the requests that were looked at can be seen as a trace. `sent`: how many there were in all."""

    sent: int
    looked_at: int
    seen: int

    @property
    def share(self) -> float | None:
        """Traces seen per request; None without requests."""
        return self.seen / self.looked_at if self.looked_at else None


@dataclass(frozen=True)
class Span:
    """One span, as assertions see it."""

    service: str
    operation: str
    tags: Mapping[str, str]
    events: tuple[str, ...]
    failed: bool

    def matches(self, wanted: Mapping[str, str]) -> bool:
        """`service`, `operation` (how it begins), `event`, `failed` (`true`), and any other name is a tag's; `a|b`: either."""
        return all(self._has(name, value) for name, value in wanted.items())

    def _has(self, name: str, value: str) -> bool:
        match name:
            case "service":
                return self.service == value
            case "operation":
                return self.operation.startswith(value)
            case "event":
                return value in self.events
            case "failed":
                return self.failed == (value == "true")
            case _:
                return self.tags.get(name) in value.split("|")


def spans(trace: JaegerTrace) -> Iterator[Span]:
    """All spans of a trace in Jaeger's JSON."""
    for each in trace["spans"]:
        tags = {tag["key"]: _text(tag["value"]) for tag in each.get("tags") or ()}
        yield Span(
            service=trace["processes"].get(each.get("processID", ""), {}).get("serviceName", ""),
            operation=each["operationName"],
            tags=tags,
            events=tuple(_event_names(each)),
            failed=tags.get("error") == "true" or tags.get("otel.status_code") == "ERROR",
        )


class TraceReader:
    """Traces by their ids, each read once and kept."""

    def __init__(self, query_url: str) -> None:
        self._query_url = query_url
        self._known: dict[str, JaegerTrace] = {}

    def read(self, ids: Sequence[str], patience_s: float = 6.0) -> dict[str, JaegerTrace]:
        """Those that are there, waiting for the others to arrive. Raises AwayError when the query API is away."""
        give_up = time.monotonic() + patience_s
        wanted = list(dict.fromkeys(ids))
        with ThreadPoolExecutor(_AT_A_TIME) as pool:
            while missing := [each for each in wanted if each not in self._known]:
                found = zip(missing, pool.map(self._one, missing), strict=True)
                self._known |= {trace_id: trace for trace_id, trace in found if trace is not None}
                if time.monotonic() > give_up:
                    break
                time.sleep(_POLL_S)
        return {each: self._known[each] for each in wanted if each in self._known}

    def _one(self, trace_id: str) -> JaegerTrace | None:
        try:
            answer = json.loads(get_text(f"{self._query_url}/api/traces/{trace_id}", _TIMEOUT_S))
            return next(iter(answer["data"] or ()), None)
        except RefusedError as exc:
            if exc.status == 404:
                return None
            raise
        except (ValueError, KeyError, TypeError) as exc:
            raise AwayError(f"{self._query_url} does not answer like Jaeger") from exc


def coverage(reader: TraceReader, requests: Sequence[Request], most: int, seed: int) -> Coverage:
    """How many of a random sample of `most` requests are there as a trace; one without a trace id is not.

    Raises MeasureError when the query API is away.
    """
    sample = Random(seed).sample(list(requests), min(most, len(requests)))  # noqa: S311 -- to be repeated, not secret
    found = reader.read([each.trace_id for each in sample if each.trace_id])
    return Coverage(len(requests), len(sample), sum(each.trace_id in found for each in sample))


def _event_names(span: Mapping[str, Any]) -> Iterator[str]:
    for each in span.get("logs") or ():
        fields = {field["key"]: _text(field["value"]) for field in each.get("fields") or ()}
        yield fields.get("event") or fields.get("message") or ""


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


__all__ = ["Coverage", "JaegerTrace", "MeasureError", "Span", "TraceReader", "coverage", "spans"]

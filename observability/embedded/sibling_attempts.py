"""Attempts that stand side by side below whoever made them, without a span for their call: which belong together. Pure.

OpenTelemetry's HTTP instrumentations write them so: the first has no number, a later one how often it was resent.
https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-request-retries-and-redirects
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

JsonObject = Mapping[str, Any]
"""A span in Jaeger's JSON."""


def runs(spans: Sequence[JsonObject], siblings: Sequence[int], numbers: Sequence[int | None]) -> Iterator[list[int]]:
    """Of `siblings`, indexes into `spans` by start: each call's attempts, if there was more than one.

    `numbers` has an attempt's number, or None, for each span. A run is of one service and one operation, and its numbers
    are 1, 2, 3 and so on, the first of which may be missing.
    """
    found = defaultdict[tuple[str, str], list[list[int]]](list)
    for index in siblings:
        of_kind = found[spans[index].get("processID", ""), spans[index]["operationName"]]
        if of_kind and numbers[index] == len(of_kind[-1]) + 1:
            of_kind[-1].append(index)
        elif numbers[index] in (None, 1):
            of_kind.append([index])
    for of_kind in found.values():
        yield from (run for run in of_kind if len(run) > 1)


def call(spans: Sequence[JsonObject], run: Sequence[int]) -> JsonObject:
    """The span that is missing: from the first attempt's start to the end of the last to end, with what the last tells."""
    first, last = spans[run[0]], spans[run[-1]]
    ended = max(spans[index]["startTime"] + spans[index]["duration"] for index in run)
    told = [tag for tag in last.get("tags") or () if tag["key"] in ("error", "otel.status_code")]
    return {
        **first,
        "spanID": f"{first['spanID']}-call",
        "duration": ended - first["startTime"],
        "tags": told,
        "logs": [],
        "warnings": ["This call has no span of its own: it is made of its attempts, which stand side by side."],
    }

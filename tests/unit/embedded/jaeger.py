"""Traces in Jaeger's JSON for tests of what draws them."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

JsonObject = dict[str, Any]

AUTHORIZE = "faultline.payments.v1.Payments/Authorize"
SERVER = {"span.kind": "server"}

_ids = itertools.count(1)


def span(
    name: str = "op",
    start: int = 0,
    duration: int = 10,
    tags: Mapping[str, Any] | None = None,
    *,
    parent: JsonObject | None = None,
    service: str = "orders",
) -> JsonObject:
    """Times in microseconds, the start after the first second of 1970."""
    references = [{"refType": "CHILD_OF", "traceID": "1f", "spanID": parent["spanID"]}] if parent else []
    return {
        "traceID": "1f",
        "spanID": f"{next(_ids):016x}",
        "operationName": name,
        "references": references,
        "startTime": 1_000_000 + start,
        "duration": duration,
        "tags": [{"key": key, "type": "string", "value": value} for key, value in (tags or {}).items()],
        "logs": [],
        "processID": service,
        "warnings": None,
    }


def trace(*spans: JsonObject) -> JsonObject:
    processes = {each["processID"]: {"serviceName": each["processID"], "tags": []} for each in spans}
    return {"traceID": "1f", "spans": [*spans], "processes": processes, "warnings": None}


def call(
    parent: JsonObject, attempts: Sequence[tuple[int, int, str]], name: str = "payments Authorize"
) -> list[JsonObject]:
    """A logical call, then its attempts: start, duration, and why each failed or nothing."""
    first, last = attempts[0], attempts[-1]
    logical = span(name, first[0], last[0] + last[1] - first[0], {"span.kind": "internal"}, parent=parent)
    tried = [
        span(AUTHORIZE, start, duration, _attempt_tags(number, why), parent=logical)
        for number, (start, duration, why) in enumerate(attempts, 1)
    ]
    return [logical, *tried]


def _attempt_tags(number: int, why: str) -> JsonObject:
    failed = {"error": True, "otel.status_description": why} if why else {}
    return {"span.kind": "client", "faultline.attempt": number, **failed}


def retried_checkout() -> JsonObject:
    """A checkout whose payment took three attempts, the first two of which failed."""
    root = span("POST /api/v1/orders", 0, 1_001, {**SERVER, "http.response.status_code": 201}, service="gateway")
    order = span("POST /v1/orders", 50, 800, SERVER, parent=root)
    logical, *attempts = call(order, [(100, 100, "refused"), (250, 50, "refused"), (400, 300, "")])
    charged = span(AUTHORIZE, 420, 260, SERVER, parent=attempts[2], service="payments")
    return trace(root, order, logical, *attempts, charged)

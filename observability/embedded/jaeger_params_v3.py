"""The parameters of version 3 of Jaeger's query API: `query.service_name` and so on."""

import json
import re
from datetime import datetime
from typing import Final

from starlette.datastructures import QueryParams

from observability.embedded.jaeger_params import DEFAULT_LIMIT, MAX_LIMIT, BadParameterError, duration_ns, integer
from observability.embedded.ports import TraceQuery

_TIMES: Final = ("query.start_time_min", "query.start_time_max")
_RFC_3339: Final = re.compile(r"(\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)")


def trace_query(params: QueryParams) -> TraceQuery:
    """What `/api/v3/traces` is asked for. Raises BadParameterError."""
    if not all(params.get(name) for name in _TIMES):
        raise BadParameterError(f"{' and '.join(_TIMES)} are required")
    earliest, latest = (_time_ns(name, params[name]) for name in _TIMES)
    return TraceQuery(
        service=params.get("query.service_name") or None,
        operation=params.get("query.operation_name") or None,
        tags=_attributes(params.get("query.attributes")),
        min_duration_ns=_duration(params, "query.duration_min"),
        max_duration_ns=_duration(params, "query.duration_max"),
        start_min_ns=earliest,
        start_max_ns=latest,
        limit=_limit(params.get("query.num_traces") or params.get("query.search_depth")),
    )


def _time_ns(name: str, text: str) -> int:
    """RFC 3339 in nanoseconds since 1970."""
    try:
        seconds, fraction, zone = _RFC_3339.fullmatch(text).groups()  # type: ignore[union-attr]  # None is caught below
        whole = datetime.fromisoformat(seconds + zone.upper().replace("Z", "+00:00")).timestamp()
    except (AttributeError, ValueError, OverflowError) as exc:
        raise BadParameterError(f"malformed parameter {name}: {text[:100]!r} is no time of RFC 3339") from exc
    return int(whole) * 10**9 + int((fraction or "").ljust(9, "0"))


def _duration(params: QueryParams, name: str) -> int | None:
    if not (text := params.get(name)):
        return None
    try:
        return duration_ns(text) or None
    except BadParameterError as exc:
        raise BadParameterError(f"malformed parameter {name}: {exc}") from exc


def _limit(text: str | None) -> int:
    if not text:
        return DEFAULT_LIMIT
    try:
        limit = integer(text)
    except BadParameterError as exc:
        raise BadParameterError(f"malformed parameter query.num_traces: {exc}") from exc
    if limit < 1:
        raise BadParameterError("malformed parameter query.num_traces: it must be at least 1")
    return min(limit, MAX_LIMIT)


def _attributes(text: str | None) -> dict[str, str]:
    try:
        attributes = json.loads(text) if text else {}
    except (ValueError, RecursionError) as exc:
        raise BadParameterError(f"malformed parameter query.attributes: {exc}") from exc
    if not isinstance(attributes, dict) or not all(isinstance(value, str) for value in attributes.values()):
        raise BadParameterError("malformed parameter query.attributes: expecting an object of strings")
    return attributes

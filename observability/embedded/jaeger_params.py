"""The parameters of Jaeger's query API, read as Jaeger reads them, with its messages."""

import json
import re
import time
from collections.abc import Mapping
from typing import Final

from starlette.datastructures import QueryParams

from observability.embedded.ports import TraceQuery

DEFAULT_LIMIT: Final = 100
MAX_LIMIT: Final = 1_500  # what Jaeger's own page allows; more would be answered, but nobody reads it
_DEFAULT_LOOKBACK_NS: Final = 2 * 24 * 3600 * 10**9
_DEPENDENCIES_LOOKBACK_NS: Final = 24 * 3600 * 10**9
_ALL: Final = 1_000_000  # traces; more than any store here keeps
_INT64: Final = range(-(2**63), 2**63)

_UNITS_NS: Final = {
    "ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9,
}  # fmt: skip
_DURATION: Final = re.compile(r"[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:ns|us|µs|μs|ms|s|m|h))+")
_PART: Final = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)")


class BadParameterError(ValueError):
    """A parameter that can't be read; the message is for the caller."""


def trace_id(digits: str) -> bytes:
    """An id of up to 32 hexadecimal digits, short ones padded, as 16 bytes. Raises BadParameterError."""
    if len(digits) > 32:
        raise BadParameterError(f"TraceID cannot be longer than 32 hex characters: {digits[:200]}")
    for part in (digits[:-16], digits[-16:]):
        if not re.fullmatch(r"[0-9a-fA-F]*", part) or not digits:
            raise BadParameterError(f"strconv.ParseUint: parsing {_quoted(part)}: invalid syntax")
    return bytes.fromhex(digits.zfill(32))


def trace_query(params: QueryParams) -> TraceQuery:
    """What `/api/traces` is asked for. Raises BadParameterError."""
    if not params.get("service"):
        raise BadParameterError("parameter 'service' is required")
    shortest, longest = _duration(params, "minDuration"), _duration(params, "maxDuration")
    if shortest is not None and longest is not None and longest < shortest:
        raise BadParameterError("'maxDuration' should be greater than 'minDuration'")
    tags = _tags(params)
    failed_only = tags.get("error") == "true"
    end = _microseconds(params, "end")
    end_ns = time.time_ns() if end is None else end
    start = _microseconds(params, "start")
    return TraceQuery(
        service=params["service"],
        operation=params.get("operation") or None,
        failed_only=failed_only,
        tags={key: value for key, value in tags.items() if not (failed_only and key == "error")},
        min_duration_ns=shortest,
        max_duration_ns=longest,
        start_min_ns=end_ns - _lookback(params) if start is None else start,
        start_max_ns=end_ns,
        limit=_limit(params),
    )


def dependencies_query(params: QueryParams) -> TraceQuery:
    """The traces from which `/api/dependencies` counts: `endTs` and `lookback` in milliseconds."""
    end, lookback = _scaled(params, "endTs", 10**6), _scaled(params, "lookback", 10**6)
    end_ns = time.time_ns() if end is None else end
    start_ns = end_ns - (_DEPENDENCIES_LOOKBACK_NS if lookback is None else lookback)
    return TraceQuery(start_min_ns=start_ns, start_max_ns=end_ns, limit=_ALL)


def duration_ns(text: str) -> int:
    """Go's notation, such as `1.5s`, `200ms` or `1h2m`, in nanoseconds. Raises BadParameterError."""
    if text in ("0", "+0", "-0"):
        return 0
    if len(text) > 40 or not _DURATION.fullmatch(text):
        raise BadParameterError(f"time: invalid duration {_quoted(text)}")
    total = sum(float(number) * _UNITS_NS[unit] for number, unit in _PART.findall(text))
    return round(-total if text.startswith("-") else total)


def _duration(params: QueryParams, name: str) -> int | None:
    if not (text := params.get(name)):
        return None
    try:
        # Zero has always meant that no bound is given.
        return duration_ns(text) or None
    except BadParameterError as exc:
        raise BadParameterError(f"unable to parse param '{name}': {exc}") from exc


def _microseconds(params: QueryParams, name: str) -> int | None:
    return _scaled(params, name, 10**3)


def _scaled(params: QueryParams, name: str, nanoseconds: int) -> int | None:
    if not (text := params.get(name)):
        return None
    try:
        return integer(text) * nanoseconds
    except BadParameterError as exc:
        raise BadParameterError(f"unable to parse param '{name}': {exc}") from exc


def _lookback(params: QueryParams) -> int:
    text = params.get("lookback", "custom")
    # Jaeger's page sends `custom` with a start of its own, and days, which Go's notation does not have.
    if days := re.fullmatch(r"([0-9]{1,4})d", text):
        return int(days[1]) * 24 * _UNITS_NS["h"]
    return _DEFAULT_LOOKBACK_NS if text in ("", "custom") else (_duration(params, "lookback") or _DEFAULT_LOOKBACK_NS)


def _limit(params: QueryParams) -> int:
    if not (text := params.get("limit")):
        return DEFAULT_LIMIT
    limit = integer(text)
    if limit < 1:
        raise BadParameterError("parameter 'limit' must be at least 1")
    return min(limit, MAX_LIMIT)


def integer(text: str) -> int:
    """A signed integer of 64 bits. Raises BadParameterError in Go's words."""
    if not re.fullmatch(r"[+-]?[0-9]{1,30}", text):
        raise BadParameterError(f"strconv.ParseInt: parsing {_quoted(text)}: invalid syntax")
    if int(text) not in _INT64:
        raise BadParameterError(f"strconv.ParseInt: parsing {_quoted(text)}: value out of range")
    return int(text)


def _tags(params: QueryParams) -> Mapping[str, str]:
    tags: dict[str, str] = {}
    for pair in params.getlist("tag"):
        key, colon, value = pair.partition(":")
        if not colon:
            raise BadParameterError(f"malformed 'tag' parameter, expecting key:value, received: {pair[:200]}")
        tags[key] = value
    for text in params.getlist("tags"):
        tags.update(tags_json(text))
    return tags


def tags_json(text: str) -> dict[str, str]:
    """Tags as Jaeger's page sends them: an object of strings. Raises BadParameterError."""
    try:
        tags = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise BadParameterError(f"malformed 'tags' parameter, cannot unmarshal JSON: {exc}") from exc
    if not isinstance(tags, dict) or not all(isinstance(value, str) for value in tags.values()):
        raise BadParameterError("malformed 'tags' parameter, cannot unmarshal JSON: expecting an object of strings")
    return tags


def _quoted(text: str) -> str:
    return json.dumps(text[:200])

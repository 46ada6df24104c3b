"""OTLP attribute values as text, written as OpenTelemetry's collector and Jaeger write them."""

import base64
import json
from collections.abc import Iterable, Iterator

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

_GO_ESCAPES = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})
_NESTING_LIMIT = 32


def plain(value: AnyValue, depth: int = 0) -> object:
    """The value as JSON knows it: bytes become base64, nothing becomes None, maps are sorted by key."""
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return _items(value.array_value.values, depth)
    if kind == "kvlist_value":
        return _entries(value.kvlist_value.values, depth)
    if kind == "bytes_value":
        return base64.b64encode(value.bytes_value).decode()
    return getattr(value, kind) if kind else None


def _items(values: Iterable[AnyValue], depth: int) -> object:
    return [plain(each, depth + 1) for each in values] if depth < _NESTING_LIMIT else "…"


def _entries(values: Iterable[KeyValue], depth: int) -> object:
    entries = sorted(values, key=lambda each: each.key)
    return {each.key: plain(each.value, depth + 1) for each in entries} if depth < _NESTING_LIMIT else "…"


def text(value: AnyValue) -> str:
    """The value as one string: arrays and maps as compact JSON, no value as the empty string."""
    raw = plain(value)
    if isinstance(raw, str):
        return raw
    if isinstance(raw, bool):
        return "true" if raw else "false"
    if isinstance(raw, float):
        return _number(raw)
    return "" if raw is None else _compact(raw)


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < 1e21 else repr(value)


def _compact(value: object) -> str:
    # Go's encoder escapes markup in JSON, and Jaeger's users see it so.
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).translate(_GO_ESCAPES)


def texts(attributes: Iterable[KeyValue]) -> Iterator[tuple[str, str]]:
    """Keys and values as text, in the order given."""
    return ((each.key, text(each.value)) for each in attributes)

"""Bytes by which to tell, without decoding it, that a span has not got a tag. Pure.

Spans are kept as protobuf wrote them here, so that a tag's wire form, made by the same protobuf, is a part of theirs. A tag is
text in a query, and may be of any type in a span.
"""

import base64
import binascii
import math
import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

_INTEGER: Final = re.compile(r"-?[0-9]{1,19}")
_INT64: Final = range(-(2**63), 2**63)
_BEGINNING: Final = 2
# Jaeger shows these fields of OTLP's messages as tags; their text is in the wire form as it is.
_TEXT_FIELDS: Final = frozenset(
    {"event", "otel.scope.name", "otel.scope.version", "otel.status_description", "w3c.tracestate"}
)


def needles(key: str, value: str) -> tuple[bytes, ...] | None:
    """What has the tag holds one of these; None if there is no telling.

    What Jaeger makes of a field that is no text (`error`, `otel.status_code`, `span.kind`) is not considered.
    """
    if not value:  # an attribute may have no value, or an empty one of several types
        return (key.encode(),) if key and key not in _TEXT_FIELDS else None
    if value[0] in "[{" or value == "nan":  # an array or a map; a number with many forms
        return (key.encode(),) if key else None
    fields = (value.encode(),) if key in _TEXT_FIELDS else ()
    return (*fields, *(KeyValue(key=key, value=each).SerializeToString() for each in _values(value)))


def finder(wanted: Sequence[bytes]) -> Callable[[bytes], object]:
    """Something true for bytes that hold one of these. Those that begin alike, as all of one key do, are sought at once."""
    if len({each[:_BEGINNING] for each in wanted}) != 1:
        return partial(_holds, wanted)
    return re.compile(b"|".join(map(re.escape, wanted))).search


def _holds(wanted: Sequence[bytes], held: bytes) -> bool:
    for each in wanted:  # noqa: SIM110  # a generator here costs as much as looking
        if each in held:
            return True
    return False


def _values(text: str) -> Iterator[AnyValue]:
    """Every value that reads as `text`."""
    yield AnyValue(string_value=text)
    if text in ("true", "false"):
        yield AnyValue(bool_value=text == "true")
    if _INTEGER.fullmatch(text) and int(text) in _INT64:
        yield AnyValue(int_value=int(text))
    yield from (AnyValue(double_value=each) for each in _doubles(text))
    yield from (AnyValue(bytes_value=each) for each in _bytes(text))


def _doubles(text: str) -> Iterator[float]:
    try:
        number = float(text)
    except ValueError:
        return
    yield number
    if number == 0:
        yield math.copysign(0.0, -1)


def _bytes(text: str) -> Iterator[bytes]:
    try:
        yield base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return

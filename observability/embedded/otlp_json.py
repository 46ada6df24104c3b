"""OTLP's JSON encoding, read and written.

It is protobuf's JSON mapping but for two rules: ids are hexadecimal instead of base64, and enumerations are numbers.
https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
"""

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any, Final

from google.protobuf import json_format
from google.protobuf.message import Message
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

_IDS: Final = ("traceId", "spanId", "parentSpanId")
_MAX_DEPTH: Final = 64  # of messages within messages, as of nested attribute values


class NotOtlpJsonError(ValueError):
    """The text is no export request; the message is for its sender."""


def parse(text: bytes) -> ExportTraceServiceRequest:
    """The request that `text` encodes. Unknown fields are ignored, as the protocol asks. Raises NotOtlpJsonError."""
    request = ExportTraceServiceRequest()
    try:
        document = json.loads(text)
        _convert_ids(document, _base64)
        json_format.ParseDict(document, request, ignore_unknown_fields=True, max_recursion_depth=_MAX_DEPTH)
    except (ValueError, TypeError, AttributeError, RecursionError, json_format.Error) as exc:
        raise NotOtlpJsonError(f"not an ExportTraceServiceRequest in JSON: {_short(exc)}") from exc
    return request


def document(message: Message) -> dict[str, Any]:
    """`message`, which holds resource spans, as the document that encodes it."""
    made = json_format.MessageToDict(message, use_integers_for_enums=True)
    _convert_ids(made, _hexadecimal)
    return made


def _convert_ids(document: Any, convert: Callable[[str], str]) -> None:
    for span in spans(document):
        for holder in (span, *(span.get("links") or ())):
            holder |= {name: convert(holder[name]) for name in _IDS if holder.get(name)}


def spans(document: Any) -> Iterator[dict[str, Any]]:
    """Each span in a document that has resource spans."""
    for group in document.get("resourceSpans") or ():
        for scoped in group.get("scopeSpans") or ():
            yield from scoped.get("spans") or ()


def _base64(digits: str) -> str:
    return base64.b64encode(bytes.fromhex(digits)).decode()


def _hexadecimal(text: str) -> str:
    return base64.b64decode(text).hex()


def _short(exc: Exception) -> str:
    return str(exc).splitlines()[0][:200] if str(exc) else type(exc).__name__

"""OTLP over HTTP: `POST /v1/traces` in protobuf or JSON, gzip or plain.

Answers are in the encoding of the request; a refusal is a `google.rpc.Status`, as the protocol says.
https://opentelemetry.io/docs/specs/otlp/#otlphttp
"""

import json
import logging
import zlib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from google.protobuf.message import Message
from google.rpc import status_pb2  # type: ignore[import-untyped]  # ships no types
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from observability.embedded import otlp_json
from observability.embedded.otlp import MalformedExportError, parse_protobuf
from observability.embedded.otlp_receiver import MAX_BODY_BYTES, Ingest

log = logging.getLogger(__name__)

PROTOBUF: Final = "application/x-protobuf"
JSON: Final = "application/json"

_INVALID_ARGUMENT: Final = 3  # google.rpc.Code
_GZIP_WINDOW: Final = 16 + zlib.MAX_WBITS


class _RefusedError(Exception):
    """The request is answered with `status` and this text."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def create_app(ingest: Ingest) -> Starlette:
    """The receiver's application."""

    async def export(request: Request) -> Response:
        encoding = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        try:
            body = await _body(request)
            answer = ingest.take(body, _parser(encoding))
        except _RefusedError as exc:
            ingest.refused()
            return _refusal(encoding, exc.status, exc, request)
        except MalformedExportError as exc:
            return _refusal(encoding, 400, exc, request)
        return _answer(encoding, 200, answer)

    return Starlette(routes=[Route("/v1/traces", export, methods=["POST"])])


def _parser(encoding: str) -> Callable[[bytes], ExportTraceServiceRequest]:
    if encoding not in _PARSERS:
        raise _RefusedError(415, f"Content-Type must be {PROTOBUF} or {JSON}, not {encoding[:100]!r}")
    return _PARSERS[encoding]


def _parse_json(text: bytes) -> ExportTraceServiceRequest:
    try:
        return otlp_json.parse(text)
    except otlp_json.NotOtlpJsonError as exc:
        raise MalformedExportError(str(exc)) from exc


_PARSERS: Final[Mapping[str, Callable[[bytes], ExportTraceServiceRequest]]] = MappingProxyType(
    {PROTOBUF: parse_protobuf, JSON: _parse_json}
)


async def _body(request: Request) -> bytes:
    """The body, unpacked; never more of it in memory than is allowed."""
    packed = bytearray()
    try:
        async for chunk in request.stream():
            packed += chunk
            if len(packed) > MAX_BODY_BYTES:
                raise _too_large()
    except ClientDisconnect as exc:
        raise _RefusedError(400, "the connection ended within the body") from exc
    return _unpacked(bytes(packed), request.headers.get("content-encoding", "").strip().lower())


def _unpacked(packed: bytes, encoding: str) -> bytes:
    if encoding in ("", "identity"):
        return packed
    if encoding != "gzip":
        raise _RefusedError(415, f"Content-Encoding must be gzip or none, not {encoding[:100]!r}")
    inflator = zlib.decompressobj(_GZIP_WINDOW)
    try:
        body = inflator.decompress(packed, MAX_BODY_BYTES)
    except zlib.error as exc:
        raise _RefusedError(400, f"the body is not gzip: {exc}") from exc
    if inflator.unconsumed_tail:
        raise _too_large()
    if not inflator.eof:
        raise _RefusedError(400, "the body is not gzip: it ends too soon")
    return body


def _too_large() -> _RefusedError:
    return _RefusedError(413, f"a request may have {MAX_BODY_BYTES} bytes, also when unpacked; send smaller batches")


def _refusal(encoding: str, status: int, error: Exception, request: Request) -> Response:
    peer = request.client.host if request.client else ""
    log.warning("export refused", extra={"reason": str(error), "peer": peer, "status": status})
    return _answer(encoding, status, status_pb2.Status(code=_INVALID_ARGUMENT, message=str(error)))


def _answer(encoding: str, status: int, message: Message) -> Response:
    if encoding == JSON:
        return Response(json.dumps(otlp_json.document(message)), status, media_type=JSON)
    return Response(message.SerializeToString(), status, media_type=PROTOBUF)

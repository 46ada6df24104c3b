"""Errors as gRPC statuses with details, written and read.

The catalogue's slug travels as `google.rpc.ErrorInfo.reason`, fields as `BadRequest`, the wait as
`RetryInfo` (AIP-193, https://google.aip.dev/193).
"""

import re
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, NoReturn

import grpc
from google.protobuf import any_pb2
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import DecodeError, Message
from google.rpc import error_details_pb2 as details  # type: ignore[import-untyped]  # ships no types
from google.rpc import status_pb2
from grpc_status import rpc_status

from services.chassis.edge import Edge
from services.chassis.errors import (
    Catalogue,
    FaultlineError,
    FieldError,
    MalformedAnswerError,
    PeerUnavailableError,
    ProblemError,
    from_peer,
)
from services.chassis.resilience.attempt import Attempt

DOMAIN = "faultline"
PUSHBACK = "grpc-retry-pushback-ms"


async def abort(context: grpc.aio.ServicerContext[Any, Any], problem: ProblemError, catalogue: Catalogue) -> NoReturn:
    """Ends the call with `problem` as its status."""
    status = to_status(problem, catalogue)
    await context.abort(status.code, status.details, (*status.trailing_metadata, *_pushing_back(problem)))


def _pushing_back(problem: ProblemError) -> Iterable[tuple[str, str]]:
    """For callers that retry in their gRPC library, which does not read `RetryInfo`: gRPC proposal A6."""
    if problem.retry_after is not None:
        yield PUSHBACK, str(round(problem.retry_after * 1000))


def to_status(problem: ProblemError, catalogue: Catalogue) -> grpc.Status:
    """`problem` as code, text and trailing metadata."""
    entry = catalogue[problem.slug]
    code: grpc.StatusCode = grpc.StatusCode[entry.grpc_status]
    number: int = code.value[0]
    info = details.ErrorInfo(reason=entry.reason, domain=DOMAIN, metadata=problem.extensions)
    parts = [_packed(info), *(_packed(each) for each in _optional(problem))]
    message = problem.detail or entry.title
    return rpc_status.to_status(status_pb2.Status(code=number, message=message, details=parts))


def _optional(problem: ProblemError) -> Iterable[Message]:
    if problem.errors:
        violation = details.BadRequest.FieldViolation
        fields = [violation(field=each.field, description=each.message) for each in problem.errors]
        yield details.BadRequest(field_violations=fields)
    if problem.retry_after is not None:
        delay = Duration()
        delay.FromTimedelta(timedelta(seconds=problem.retry_after))
        yield details.RetryInfo(retry_delay=delay)


def _packed(message: Message) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(message)
    return packed


def from_rpc_error(
    error: grpc.aio.AioRpcError, edge: Edge, operation: str, catalogue: Catalogue, attempt: Attempt
) -> FaultlineError:
    """What a failed attempt at a peer means to us: its refusal, or a call that got no usable answer."""
    understood = _understood(error, edge, operation, catalogue, attempt)
    pushback = _pushback(error)
    if pushback is not None:
        understood.pushback = pushback
    return understood


def _understood(
    error: grpc.aio.AioRpcError, edge: Edge, operation: str, catalogue: Catalogue, attempt: Attempt
) -> FaultlineError:
    reason = f"{error.code().name}: {error.details()}"
    if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
        return attempt.spent(edge, operation, reason)
    if (problem := _problem(error, catalogue)) is not None:
        return from_peer(problem, edge, operation, catalogue)
    kind = PeerUnavailableError if error.code() in _AWAY else MalformedAnswerError
    return kind(edge, operation, reason, retry_after=1.0)


_AWAY = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}


def _problem(error: grpc.aio.AioRpcError, catalogue: Catalogue) -> ProblemError | None:
    info, bad, retry = details.ErrorInfo(), details.BadRequest(), details.RetryInfo()
    try:
        for part in _parts(error):
            for message in (info, bad, retry):
                part.Unpack(message)
    except DecodeError:
        return None  # what is there is not what the trailer's name says
    slug = info.reason.lower().replace("_", "-")
    if info.domain != DOMAIN or slug not in catalogue:
        return None
    return ProblemError(
        slug,
        error.details() or "",
        errors=[FieldError(each.field, each.description) for each in bad.field_violations],
        retry_after=retry.retry_delay.ToTimedelta().total_seconds() if retry.HasField("retry_delay") else None,
        extensions=dict(info.metadata),
    )


def _pushback(error: grpc.aio.AioRpcError) -> float | None:
    """Seconds by `grpc-retry-pushback-ms`; below zero, as gRPC proposal A6 has it, also where it is no number."""
    for key, value in error.trailing_metadata():
        if key == PUSHBACK:
            text = value if isinstance(value, str) else ""
            return int(text) / 1000 if re.fullmatch("[0-9]{1,9}", text) else -1.0
    return None


def _parts(error: grpc.aio.AioRpcError) -> Iterable[any_pb2.Any]:
    for key, value in error.trailing_metadata():
        if key == "grpc-status-details-bin" and isinstance(value, bytes):
            return list(status_pb2.Status.FromString(value).details)
    return []

"""Problem documents (RFC 9457): the one form of every error answer over HTTP, written and read."""

import json
import math
from collections.abc import Mapping
from typing import Any

from opentelemetry.trace import format_trace_id, get_current_span
from starlette.responses import JSONResponse

from services.chassis.errors import CallError, Catalogue, FieldError, ProblemError, answer_to

MEDIA_TYPE = "application/problem+json"
_TYPE_PREFIX = "/problems/"
_MEMBERS = {"type", "title", "status", "detail", "instance", "trace_id", "errors", "retry_after"}


def current_trace_id() -> str:
    """The trace id of the current span, 32 hex digits."""
    return format_trace_id(get_current_span().get_span_context().trace_id)


def from_error(error: Exception) -> ProblemError:
    """Our answer to what went wrong inside: the boundary's one translation."""
    if isinstance(error, ProblemError):
        return error
    if isinstance(error, CallError):
        # The peer's name is not the public's business, but when to come back is.
        return answer_to(error, _CALL_DETAILS.get(error.slug, ""))
    return ProblemError("internal", "Something went wrong on our side; the trace id helps to find it.")


_CALL_DETAILS = {
    "service-unavailable": "A part of the system is away. Try again.",
    "deadline-exceeded": "The request took longer than it may.",
}


def response(problem: ProblemError, catalogue: Catalogue, instance: str) -> JSONResponse:
    """The answer that says `problem`; `instance` is the path that was asked for."""
    entry = catalogue[problem.slug]
    headers = {"Retry-After": str(math.ceil(problem.retry_after))} if problem.retry_after is not None else {}
    if entry.http_status == 401:
        headers["WWW-Authenticate"] = "ApiKey"
    return ProblemResponse(document(problem, catalogue, instance), entry.http_status, headers=headers)


class ProblemResponse(JSONResponse):
    """JSON in which what is no text, such as half a surrogate pair in a field's name, shows as `?`."""

    media_type = MEDIA_TYPE

    def render(self, content: Any) -> bytes:
        return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def document(problem: ProblemError, catalogue: Catalogue, instance: str) -> dict[str, Any]:
    """The members of the problem document, `trace_id` and the extensions among them."""
    entry = catalogue[problem.slug]
    return {
        **problem.extensions,
        "type": _TYPE_PREFIX + entry.slug,
        "title": entry.title,
        "status": entry.http_status,
        "detail": problem.detail,
        "instance": instance,
        "trace_id": current_trace_id(),
        "errors": [{"field": each.field, "message": each.message} for each in problem.errors],
        "retry_after": problem.retry_after,
    }


def parse(body: Mapping[str, Any]) -> ProblemError | None:
    """The problem in a peer's answer, or None when `body` is not a problem document of ours."""
    kind = str(body.get("type", ""))
    if not kind.startswith(_TYPE_PREFIX):
        return None
    try:
        return ProblemError(
            kind.removeprefix(_TYPE_PREFIX),
            str(body.get("detail", "")),
            errors=[FieldError(str(each["field"]), str(each["message"])) for each in body.get("errors", [])],
            retry_after=_seconds(body.get("retry_after")),
            extensions={key: str(value) for key, value in body.items() if key not in _MEMBERS},
        )
    except (TypeError, KeyError, ValueError):
        return None  # a member has another shape than ours


def _seconds(value: Any) -> float | None:
    seconds = None if value is None else float(value)
    if seconds is not None and not math.isfinite(seconds):
        raise ValueError(f"{seconds} is no time to wait")
    return seconds

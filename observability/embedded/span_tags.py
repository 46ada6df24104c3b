"""What the tags of a span in Jaeger's JSON say. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from observability import semconv

_MOST_DIGITS: Final = 9


def texts(tags: Iterable[Mapping[str, Any]] | None) -> dict[str, str]:
    """Keys and values as text; of a key that is there several times the last."""
    return {tag["key"]: _text(tag["value"]) for tag in tags or ()}


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def failed(tags: Mapping[str, str]) -> bool:
    return tags.get("error") == "true" or tags.get("otel.status_code") == "ERROR"


def attempt_number(tags: Mapping[str, str]) -> int | None:
    """Ours counts attempts from 1, OpenTelemetry's the resends; None if neither is there or is no number."""
    number = tags.get(semconv.ATTEMPT, "")
    resends = tags.get(semconv.HTTP_REQUEST_RESEND_COUNT, "")
    if _is_number(number):
        return int(number) or None
    return int(resends) + 1 if _is_number(resends) else None


def _is_number(text: str) -> bool:
    return text.isdecimal() and len(text) <= _MOST_DIGITS


def status_text(tags: Mapping[str, str]) -> str:
    """The reason if there is one, else the protocol's status, else the kind of error."""
    code = tags.get(semconv.RPC_RESPONSE_STATUS_CODE, "") or tags.get("http.response.status_code", "")
    reason = tags.get("otel.status_description", "") or tags.get(semconv.ERROR_TYPE, "")
    return " · ".join(part for part in (code, reason) if part)

"""The headers of an answer that is not new: `Age` (RFC 9111, section 5.1) and `Cache-Status` (RFC 9211)."""

from typing import Any

from fastapi import Response

HEADERS: dict[str, Any] = {
    "Age": {
        "description": "Seconds since this was seen. Only where it is degraded.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "Cache-Status": {
        "description": "That this is from the gateway's cache, and for how long it was stale. Only where it is degraded.",
        "schema": {"type": "string"},
    },
}
"""As the API's document describes them."""


def tell(response: Response, age_s: float | None) -> None:
    """Puts them on `response` where it shows what was seen `age_s` seconds ago; None for what is new."""
    if age_s is None:
        return
    age = int(age_s)
    response.headers["Age"] = str(age)
    # Nothing of the catalogue is ever fresh without asking, so that it has been stale for as long as it has been kept.
    response.headers["Cache-Status"] = f"faultline-gateway; hit; ttl={-age}; detail=stale-if-error"

"""Conditional reads: an answer's ETag, and 304 for those who have that answer already.

By RFC 9110, sections 8.8.3 (ETag), 13.1.2 (If-None-Match) and 15.4.5 (304). https://www.rfc-editor.org/rfc/rfc9110
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from fastapi import Header, Response
from pydantic import BaseModel
from pydantic.config import JsonDict

from services.gateway.http_api import staleness
from services.gateway.http_api.openapi import examples

Shape = TypeVar("Shape", bound=BaseModel)

IfNoneMatch = Annotated[str | None, Header(description="ETags that you have the answers of; `*` for any.")]

_HEADERS = {
    "ETag": {"description": "Names this content, for If-None-Match.", "schema": {"type": "string"}},
    **staleness.HEADERS,
}
_TAG = re.compile(r'(?:W/)?("[!#-~\x80-\xff]*")')
_KNOWN = {"description": "You have it already: its ETag is among those of If-None-Match.", "headers": _HEADERS}


def responses(description: str, shown: Mapping[str, JsonDict]) -> dict[int | str, dict[str, Any]]:
    """FastAPI's `responses` of an operation that is answered with `unless_known`, besides its problems."""
    return {200: {"description": description, "headers": _HEADERS, **examples(shown)}, 304: _KNOWN}


def unless_known(shape: Shape, response: Response, if_none_match: str | None) -> Shape | Response:
    """`shape`, or 304 for one who has it. Puts the ETag on `response`, whose headers the 304 has too."""
    response.headers["ETag"] = tag = _etag(shape)
    # May be kept, but not used without asking: how many pieces there are changes with every order.
    response.headers["Cache-Control"] = "private, no-cache"
    known = (if_none_match or "").strip()
    # Weakly compared, as the standard has it for reads: `W/` does not count.
    if known != "*" and tag not in _TAG.findall(known):
        return shape
    return Response(status_code=304, headers=dict(response.headers))


def _etag(shape: BaseModel) -> str:
    """The same for the same content, and another for another."""
    return f'"{hashlib.sha256(shape.model_dump_json().encode()).hexdigest()[:32]}"'

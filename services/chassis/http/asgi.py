"""Small helpers over ASGI messages."""

from starlette.datastructures import Headers
from starlette.types import Scope


def headers_of(scope: Scope) -> Headers:
    """The request's headers, names without regard to case."""
    return Headers(scope=scope)

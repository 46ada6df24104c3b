"""Bodies in JSON whose objects name each member once.

Which of two members of one name counts is everybody's own choice (RFC 8259, section 4): what one reads as a quantity of 1,
another reads as 100. So neither does.
"""

import json
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from services.chassis.errors import FieldError, ProblemError

_NAME_SHOWN = 64  # characters


class _Unique(Request):
    async def json(self) -> Any:
        return json.loads(await self.body(), object_pairs_hook=_object)


class UniqueMembers(APIRoute):
    """The class of routes that refuse others, with the problem malformed-request, which names the member."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_unique(request: Request) -> Response:
            return await handle(_Unique(request.scope, request.receive))

        return handle_unique


def _object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    if len(found) < len(members):
        [(name, times)] = Counter(name for name, _ in members).most_common(1)
        errors = [FieldError(name[:_NAME_SHOWN], f"stands there {times} times, in one object")]
        raise ProblemError("malformed-request", "A member may stand in an object once.", errors=errors)
    return found

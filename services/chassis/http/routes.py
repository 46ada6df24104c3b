"""What an application's routes say about a request, before it is routed or after."""

from collections.abc import Iterator

from fastapi.routing import RouteContext, iter_route_contexts
from starlette.routing import Match
from starlette.types import Scope


def route_of(scope: Scope) -> str:
    """The route template that `scope` matches, such as `/api/v1/orders/{order_id}`; empty for none.

    Works before routing too, so that requests refused early are counted under their route. Looked for once for each scope.
    """
    known: str | None = scope.get(_ROUTE)
    if known is None:
        known = scope[_ROUTE] = _template(scope)
    return known


_ROUTE = "faultline.route"


def _template(scope: Scope) -> str:
    partial = ""
    for match, route in _matching(scope):
        if match is Match.FULL:
            return route.path or ""
        partial = partial or route.path or ""
    return partial


def methods_of(scope: Scope) -> list[str]:
    """The methods that `scope`'s path can be asked with, sorted."""
    return sorted({method for _, route in _matching(scope) for method in route.methods or ()})


def _matching(scope: Scope) -> Iterator[tuple[Match, RouteContext]]:
    for route in iter_route_contexts(scope["app"].routes):
        match, _ = route.matches(scope)
        if match is not Match.NONE:
            yield match, route

"""The policies of a process, seen and switched at its control listener.

    GET /policies            every outbound edge: its kind, its preset, its policies and what state they are in
    PUT /policies/{callee}   {"preset": "budgeted"}, or {"retry": true, "budget": false}: single policies on or off

Answers are JSON; a request that names what there is not is answered with 422 and the valid choices, and changes nothing.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, cast

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.chassis.calls import CallSeam
from services.chassis.http.problems import MEDIA_TYPE
from services.chassis.resilience.policy import POLICIES, PRESETS, PolicyName, Preset


class _InvalidError(Exception):
    """The request names what there is not; the text names the valid choices."""


def routes(seams: Sequence[CallSeam], switched: Callable[[CallSeam], None] = lambda _: None) -> list[Route]:
    """The routes over the process's outbound edges, of which there is one to each callee; `switched` hears of each switch."""
    by_callee = {each.edge.callee: each for each in seams}

    async def show(_: Request) -> Response:
        return JSONResponse({str(each.edge): shown(each) for each in seams})

    async def switch(request: Request) -> Response:
        try:
            seam = _edge(by_callee, request.path_params["callee"])
            _switch(seam, _object(await request.body()))
        except _InvalidError as error:
            return _problem(str(error))
        switched(seam)
        return JSONResponse({str(seam.edge): shown(seam)})

    return [Route("/policies", show), Route("/policies/{callee}", switch, methods=["PUT"])]


def shown(seam: CallSeam) -> dict[str, Any]:
    """An edge as it is shown: each policy that it declares with `in_force`, its configuration and its live state."""
    state = seam.state()
    return {
        "kind": seam.edge.kind,
        "preset": seam.preset or "custom",
        "policies": {
            name: {**_policy(seam, name), **state.get(name, {})} for name in POLICIES if name in seam.declared.names
        },
    }


def _policy(seam: CallSeam, name: PolicyName) -> dict[str, Any]:
    config = seam.declared.config(name)
    described = {"attempt_timeout_s": config} if isinstance(config, float | int) else asdict(config)
    plain = {key: sorted(value) if isinstance(value, frozenset) else value for key, value in described.items()}
    return {"in_force": name in seam.policy.names, **plain}


def _edge(by_callee: Mapping[str, CallSeam], callee: str) -> CallSeam:
    if callee not in by_callee:
        raise _InvalidError(f"there is no edge to {callee!r}; edges go to: {', '.join(by_callee) or 'nobody'}")
    return by_callee[callee]


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError as exc:
        raise _InvalidError("the body is not JSON") from exc
    if not isinstance(found, dict) or not found:
        raise _InvalidError('the body must be an object such as {"preset": "full"} or {"retry": false}')
    return found


def _switch(seam: CallSeam, wanted: dict[str, Any]) -> None:
    if "preset" not in wanted:
        seam.turn(_switches(seam, wanted))
    elif len(wanted) > 1:
        raise _InvalidError("a preset says it all: give it alone, or single policies")
    elif wanted["preset"] not in list(PRESETS):
        raise _InvalidError(f"there is no preset {wanted['preset']!r}; presets: {', '.join(PRESETS)}")
    else:
        seam.use(cast("Preset", wanted["preset"]))


def _switches(seam: CallSeam, wanted: dict[str, Any]) -> dict[PolicyName, bool]:
    declared = [name for name in POLICIES if name in seam.declared.names]
    for name, on in wanted.items():
        if name not in declared:
            raise _InvalidError(f"{seam.edge} has no policy {name!r}; it has: {', '.join(declared)}")
        if not isinstance(on, bool):
            raise _InvalidError(f"{name} must be true or false, not {on!r}")
    return {cast("PolicyName", name): on for name, on in wanted.items()}


def _problem(detail: str) -> JSONResponse:
    document = {"type": "/problems/validation-failed", "title": "No such policy", "status": 422, "detail": detail}
    return JSONResponse(document, 422, media_type=MEDIA_TYPE)

"""The control listener's routes for faults.

    POST   /faults        a fault (see `document`): 201 with it, its id and its remaining time
    POST   /faults/check  the same, which is not put in force: 204 where it could be
    GET    /faults        {"faults": [...]}, each with `remaining_s` and `touched`
    DELETE /faults/{id}   204; 404 when there is none of that id
    DELETE /faults        {"removed": N}

A fault that cannot be is 422, naming field and valid choices; all of it is 403 where FAULT_INJECTION_ENABLED is off.
"""

import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.chassis.faults.document import write
from services.chassis.faults.errors import FaultRefusedError
from services.chassis.faults.evidence import about
from services.chassis.faults.site import FaultSite

log = logging.getLogger(__name__)

Handler = Callable[[Request], Awaitable[Response]]

MAX_BODY_BYTES = 16_384


def routes(site: FaultSite) -> list[Route]:
    """The routes over the faults of `site`."""

    async def add(request: Request) -> Response:
        armed = site.add(await _document(request))
        log.info("fault set", extra={**about(armed.fault), "fault": write(armed)})
        return JSONResponse(write(armed), HTTPStatus.CREATED)

    async def check(request: Request) -> Response:
        site.check(await _document(request))
        return Response(status_code=HTTPStatus.NO_CONTENT)

    async def show(_: Request) -> Response:
        return JSONResponse({"faults": [write(each) for each in site.store.active()]})

    async def remove(request: Request) -> Response:
        fault_id = request.path_params["fault_id"]
        if not site.store.remove(fault_id):
            return _problem(HTTPStatus.NOT_FOUND, f"there is no fault {fault_id!r}: it is over, or never was")
        log.info("fault taken back", extra={"faultline.fault.id": fault_id})
        return Response(status_code=HTTPStatus.NO_CONTENT)

    async def clear(_: Request) -> Response:
        removed = site.store.clear()
        log.info("all faults taken back", extra={"removed": removed})
        return JSONResponse({"removed": removed})

    def where_enabled(handler: Handler) -> Handler:
        return _refusing(handler) if site.enabled else _off

    return [
        Route("/faults", where_enabled(add), methods=["POST"]),
        Route("/faults/check", where_enabled(check), methods=["POST"]),
        Route("/faults", where_enabled(show), methods=["GET"]),
        Route("/faults", where_enabled(clear), methods=["DELETE"]),
        Route("/faults/{fault_id}", where_enabled(remove), methods=["DELETE"]),
    ]


def _refusing(handler: Handler) -> Handler:
    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except FaultRefusedError as exc:
            log.warning("fault refused", extra={"field": exc.field, "reason": exc.reason})
            return _refusal(exc)

    return answer


async def _off(_: Request) -> Response:
    return _problem(HTTPStatus.FORBIDDEN, "faults are off here; FAULT_INJECTION_ENABLED=true switches them on")


async def _document(request: Request) -> object:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY_BYTES:
            raise FaultRefusedError("body", f"must have at most {MAX_BODY_BYTES} bytes")
    try:
        found: object = json.loads(body)
    except ValueError as exc:
        raise FaultRefusedError("body", "must be a JSON object") from exc
    return found


def _refusal(exc: FaultRefusedError) -> Response:
    return _problem(HTTPStatus.UNPROCESSABLE_ENTITY, str(exc), [{"field": exc.field, "message": exc.reason}])


def _problem(status: HTTPStatus, detail: str, errors: Sequence[dict[str, str]] = ()) -> Response:
    document = {"type": "about:blank", "title": status.phrase, "status": status, "detail": detail}
    return JSONResponse(
        {**document, "errors": list(errors)} if errors else document, status, media_type="application/problem+json"
    )

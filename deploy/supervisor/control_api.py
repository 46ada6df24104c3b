"""The supervisor's control API: HTTP on loopback, for whoever holds the token.

    GET  /healthz                          no token: {"status": "starting" | "ready" | "stopping", "pid"}
    GET  /topology                         as in topology.json
    GET  /processes                        {"processes": [...], "supervisor": {...}}
    POST /processes/{instance}/kill        {"ttl_s"}: SIGKILL, held down for so long; default 0: restarted at once
    POST /processes/{instance}/restart     ended in order, started again
    POST /processes/{instance}/pause       {"ttl_s"}: SIGSTOP, woken after so long; default 60, as nothing is for ever
    POST /processes/{instance}/resume      SIGCONT
    GET  /logs?instance=&trace_id=&tail=   {"lines": [...]}, by time
    POST /shutdown                         202; ends everything

Actions answer 202 with the process. Errors are problem documents (RFC 9457): 401 without the right token (nothing is
done, and it is logged), 404 for an unknown instance, 409 when it is not in a state for that, 422 for a wrong value.
"""

import asyncio
import hmac
import json
import logging
import math
import os
from collections.abc import Callable
from dataclasses import asdict
from http import HTTPStatus
from typing import Any, Final

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from deploy.errors import NotFoundError
from deploy.supervisor import log_reader
from deploy.supervisor.memory import memory_of
from deploy.supervisor.process import ManagedProcess, Snapshot
from deploy.supervisor.state import StateFolder
from deploy.supervisor.supervisor import Supervisor
from observability.prompt_server import PromptServer

log = logging.getLogger(__name__)

MAX_TTL_S: Final = 600.0
DEFAULT_PAUSE_S: Final = 60.0
MAX_TAIL: Final = 10_000
_MAX_BODY: Final = 65_536
_OPEN: Final = frozenset({"/healthz"})


class ControlApi:
    """The requests' handlers. `topology` is what `GET /topology` answers."""

    def __init__(self, supervisor: Supervisor, state: StateFolder, topology: dict[str, Any]) -> None:
        self._supervisor = supervisor
        self._state = state
        self._topology = topology

    def app(self, token: str) -> ASGIApp:
        routes = [
            Route("/healthz", self.health),
            Route("/topology", self.topology),
            Route("/processes", self.processes),
            Route("/processes/{instance}/kill", self.kill, methods=["POST"]),
            Route("/processes/{instance}/pause", self.pause, methods=["POST"]),
            Route("/processes/{instance}/resume", self.resume, methods=["POST"]),
            Route("/processes/{instance}/restart", self.restart, methods=["POST"]),
            Route("/logs", self.logs),
            Route("/shutdown", self.shutdown, methods=["POST"]),
        ]
        app = Starlette(routes=routes, exception_handlers={HTTPException: _problem, NotFoundError: _not_found})
        return BearerAuth(app, token)

    async def health(self, _: Request) -> Response:
        return JSONResponse({"status": self._supervisor.phase, "pid": os.getpid()})

    async def topology(self, _: Request) -> Response:
        return JSONResponse(self._topology)

    async def processes(self, _: Request) -> Response:
        snapshots = self._supervisor.snapshots()
        # Reading a process's memory maps takes milliseconds each.
        described = await asyncio.to_thread(lambda: [_described(each) for each in snapshots])
        own = {"pid": os.getpid(), "status": self._supervisor.phase, **_memory(os.getpid())}
        return JSONResponse({"processes": described, "supervisor": own})

    async def kill(self, request: Request) -> Response:
        ttl_s = await _ttl(request, default=0.0, least=0.0)
        return self._act(request, lambda process: process.kill(ttl_s))

    async def pause(self, request: Request) -> Response:
        ttl_s = await _ttl(request, default=DEFAULT_PAUSE_S, least=0.001)
        return self._act(request, lambda process: process.pause(ttl_s))

    async def resume(self, request: Request) -> Response:
        return self._act(request, ManagedProcess.resume)

    async def restart(self, request: Request) -> Response:
        return self._act(request, ManagedProcess.restart)

    async def logs(self, request: Request) -> Response:
        query = request.query_params
        of = [query["instance"]] if "instance" in query else log_reader.instances(self._state)
        if unknown := [each for each in of if each not in log_reader.instances(self._state)]:
            raise NotFoundError(f"there is no log of {unknown[0]!r}")
        tail = _number(query.get("tail", "1000"), "tail", least=1, most=MAX_TAIL)
        lines = await asyncio.to_thread(log_reader.read, self._state, of, query.get("trace_id", ""), int(tail))
        return JSONResponse({"lines": [{"instance": each.instance, "record": each.record} for each in lines]})

    async def shutdown(self, _: Request) -> Response:
        self._supervisor.request_stop("asked over the control API")
        return JSONResponse({"status": "stopping", "pid": os.getpid()}, HTTPStatus.ACCEPTED)

    def _act(self, request: Request, action: Callable[[ManagedProcess], bool]) -> Response:
        """Does it and answers with the process as it was before the action, whose pid is the one acted upon."""
        process = self._supervisor.process(request.path_params["instance"])
        before = process.snapshot
        verb = request.url.path.rpartition("/")[2]
        if not action(process):
            raise HTTPException(HTTPStatus.CONFLICT, f"{before.instance} is {before.state}: no {verb}")
        log.info("asked over the control API", extra={"instance": before.instance, "action": verb})
        return JSONResponse({"instance": before.instance, "pid": before.pid, "state": process.snapshot.state}, 202)


class BearerAuth:
    """Lets through who shows the token, and everybody to the open paths."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._expected = f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in _OPEN or self._knows(scope):
            await self._app(scope, receive, send)
            return
        client = (scope.get("client") or ("unknown",))[0]
        # What was shown is not logged: it may be a right token with a typing error.
        log.warning("refused: no or a wrong token", extra={"client": client, "path": scope["path"]})
        refusal = _document(HTTPStatus.UNAUTHORIZED, "the Bearer token is missing or wrong; it is in control.json")
        refusal.headers["www-authenticate"] = "Bearer"
        await refusal(scope, receive, send)

    def _knows(self, scope: Scope) -> bool:
        shown = [value for name, value in scope["headers"] if name == b"authorization"]
        return len(shown) == 1 and hmac.compare_digest(shown[0], self._expected)


class Server(PromptServer):
    """Serves the control API; what is not answered a second after its end is cut off."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(
            uvicorn.Config(
                app, lifespan="off", log_config=None, log_level="warning", access_log=False, timeout_graceful_shutdown=1
            )
        )


async def _ttl(request: Request, default: float, least: float) -> float:
    """`ttl_s` of the body, in seconds; the body may be empty."""
    if int(request.headers.get("content-length", 0)) > _MAX_BODY:
        raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"at most {_MAX_BODY} bytes")
    body = await request.body()
    try:
        document = json.loads(body or b"{}")
    except ValueError:
        document = None
    if not isinstance(document, dict) or document.keys() - {"ttl_s"}:
        raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, 'the body is not {"ttl_s": SECONDS}')
    return _number(document.get("ttl_s", default), "ttl_s", least=least, most=MAX_TTL_S)


def _number(value: object, name: str, least: float, most: float) -> float:
    try:
        number = float(str(value))
    except ValueError:
        number = math.nan
    if not least <= number <= most:
        raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, f"{name}: {value!r} is not within {least:g}..{most:g}")
    return number


def _described(snapshot: Snapshot) -> dict[str, Any]:
    document = asdict(snapshot)
    document["started_at"] = snapshot.started_at.isoformat(timespec="milliseconds") if snapshot.started_at else None
    return document | _memory(snapshot.pid)


def _memory(pid: int | None) -> dict[str, Any]:
    found = memory_of(pid) if pid else None
    return {"memory_bytes": found.bytes if found else None, "memory_kind": found.kind if found else None}


async def _problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 -- registered for nothing else
    response = _document(HTTPStatus(error.status_code), error.detail)
    response.headers.update(error.headers or {})
    return response


async def _not_found(_: Request, error: Exception) -> Response:
    return _document(HTTPStatus.NOT_FOUND, str(error))


def _document(status: HTTPStatus, detail: str) -> JSONResponse:
    document = {"type": "about:blank", "title": status.phrase, "status": status, "detail": detail}
    return JSONResponse(document, status, media_type="application/problem+json")

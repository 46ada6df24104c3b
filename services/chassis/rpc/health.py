"""Health over gRPC (grpc.health.v1), following the readiness checks.

Written here because the stock servicer's watches never end: a drain would wait for clients that never leave.
"""
# ruff: noqa: N802 -- the methods have the names that the proto gives them

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from observability.unsampled import unsampled
from services.chassis.admin import Check
from services.chassis.errors import FaultlineError

log = logging.getLogger(__name__)

SERVICE = health.SERVICE_NAME
_INTERVAL = 1.0
_CHECK_TIMEOUT = 1.0

Context = grpc.aio.ServicerContext[Any, Any]
Request = health_pb2.HealthCheckRequest
Response = health_pb2.HealthCheckResponse


class Health(health_pb2_grpc.HealthServicer):
    """SERVING, for the server and for each of `services`, while all `checks` pass and it does not drain."""

    def __init__(self, services: Sequence[str], checks: Mapping[str, Check]) -> None:
        self._names, self._checks = ("", *services), checks
        self._serving: bool | None = None
        self._draining = False
        self._changed = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None

    def add_to(self, server: grpc.aio.Server) -> None:
        """Has `server` answer for it."""
        health_pb2_grpc.add_HealthServicer_to_server(self, server)

    async def start(self) -> None:
        """Looks once, so that its first answer is true, and again and again from then on."""
        await self._look()
        self._task = asyncio.create_task(self._keep_looking(), name="grpc health")

    async def drain(self) -> None:
        """NOT_SERVING for good; whoever watches is told so and let go."""
        async with self._changed:
            self._draining = True
            self._changed.notify_all()

    async def stop(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def Check(self, request: Request, context: Context) -> Response:
        if request.service not in self._names:
            await context.abort(grpc.StatusCode.NOT_FOUND, "no such service")
        return Response(status=self._status(request.service))

    async def Watch(self, request: Request, context: Context) -> None:
        told: object = None

        def news() -> bool:
            return self._draining or self._status(request.service) != told

        while not self._draining:
            async with self._changed:
                await self._changed.wait_for(news)
            told = self._status(request.service)
            await context.write(Response(status=self._status(request.service)))

    def _status(self, service: str) -> int:
        if service not in self._names:
            return Response.SERVICE_UNKNOWN
        return Response.SERVING if self._serving and not self._draining else Response.NOT_SERVING

    async def _keep_looking(self) -> None:
        while True:
            await asyncio.sleep(_INTERVAL)
            await self._look()

    async def _look(self) -> None:
        failed = {name: why for name, check in self._checks.items() if (why := await _failure(check))}
        serving = not failed
        if self._serving is not serving:
            self._tell(failed)
            async with self._changed:
                self._serving = serving
                self._changed.notify_all()

    def _tell(self, failed: Mapping[str, str]) -> None:
        if failed:
            log.warning("not serving", extra={"checks": failed})
        elif self._serving is False:
            log.info("serving again")


async def _failure(check: Check) -> str:
    """Why `check` does not pass; empty if it does."""
    try:
        with unsampled():
            async with asyncio.timeout(_CHECK_TIMEOUT):
                await check()
    except TimeoutError:
        return f"no answer in {_CHECK_TIMEOUT} s"
    except FaultlineError as error:
        return str(error)
    except Exception as error:  # a defect, which must not end the looking: what can't be checked is not served
        log.exception("a readiness check is broken")
        return type(error).__name__
    return ""

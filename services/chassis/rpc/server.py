"""A gRPC server as a component, with health and reflection."""

from collections.abc import Callable, Mapping
from typing import Any

import grpc
from grpc_reflection.v1alpha import reflection

from services.chassis.admin import Check
from services.chassis.errors import PortTakenError
from services.chassis.listener import bind
from services.chassis.rpc import health
from services.chassis.rpc.interceptor import ServerInterceptor

_OPTIONS = [
    ("grpc.so_reuseport", 0),  # a taken port is an error, not a silent sharing of its connections
    ("grpc.max_receive_message_length", 1 << 20),
    ("grpc.http2.min_ping_interval_without_data_ms", 1_000),  # our clients' keepalive is welcome
    ("grpc.keepalive_permit_without_calls", 1),
]

Servicers = Mapping[str, Callable[[grpc.aio.Server], Any]]
"""Full service name, such as `faultline.payments.v1.Payments` → what adds its servicer to a server."""


class GrpcServer:
    """Serves `servicers` on `host:port`; its health follows `checks`."""

    def __init__(
        self,
        servicers: Servicers,
        interceptor: ServerInterceptor,
        host: str,
        port: int,
        checks: Mapping[str, Check] | None = None,
    ) -> None:
        self.name = "grpc server"
        self._servicers, self._interceptor, self._host, self._port = servicers, interceptor, host, port
        self._server: grpc.aio.Server | None = None
        self._health = health.Health([*servicers], checks or {})

    async def start(self) -> None:
        # gRPC's own error names neither setting nor port: ask the system first.
        bind("GRPC_PORT", self._host, self._port).close()
        self._server = grpc.aio.server(interceptors=[self._interceptor], options=_OPTIONS)
        for service, add in self._servicers.items():
            add(self._server)
            self._interceptor.declare(service)
        self._health.add_to(self._server)
        names = [*self._servicers, health.SERVICE, reflection.SERVICE_NAME]
        reflection.enable_server_reflection(names, self._server)
        self._listen(self._server)
        await self._health.start()
        await self._server.start()

    def _listen(self, server: grpc.aio.Server) -> None:
        host = f"[{self._host}]" if ":" in self._host else self._host
        try:
            server.add_insecure_port(f"{host}:{self._port}")
        except RuntimeError as exc:  # all that gRPC says; somebody was quicker than we
            raise PortTakenError("GRPC_PORT", self._host, self._port) from exc

    async def drain(self) -> None:
        if self._server:
            await self._health.drain()
            await self._server.stop(grace=_FOREVER)

    async def stop(self) -> None:
        await self._health.stop()
        if self._server:
            await self._server.stop(grace=None)


_FOREVER = 3600.0  # the life cycle's drain timeout is the one that counts

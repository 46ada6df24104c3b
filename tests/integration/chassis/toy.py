"""A tiny service with every listener there is. Run as `python -m tests.integration.chassis.toy`."""

import asyncio
import time
from pathlib import Path

from pydantic import Field

from observability.telemetry import Telemetry
from services.chassis.calls import CallSeam
from services.chassis.edge import Edge
from services.chassis.faults.site import FaultSite
from services.chassis.http.app import create
from services.chassis.http.server import HttpServer
from services.chassis.resilience.pipeline import EdgePolicy
from services.chassis.rpc.interceptor import ServerInterceptor
from services.chassis.rpc.server import GrpcServer
from services.chassis.service import Service, main
from services.chassis.settings import Port, ServiceSettings
from services.contracts.errors import CATALOGUE
from tests.integration.chassis.rpc_toy import servicers

_POLL_S = 0.01


class ToySettings(ServiceSettings):
    """The base's, both public ports, and how work is told to go on."""

    http_port: Port = Field(description="Port of the HTTP listener.")
    grpc_port: Port = Field(description="Port of the gRPC listener.")
    release_file: Path = Field(description="Work in flight waits until this file exists.")


class Work:
    """Requests that have begun wait here until they are released."""

    def __init__(self, release_file: Path) -> None:
        self.begun = 0
        self._release_file = release_file

    async def do(self) -> None:
        self.begun += 1
        while not self._release_file.exists():  # noqa: ASYNC110  # the test is another process
            await asyncio.sleep(_POLL_S)


def bootstrap(settings: ToySettings, telemetry: Telemetry) -> Service:
    work = Work(settings.release_file)
    faults = FaultSite("toy", telemetry, CATALOGUE, enabled=settings.fault_injection_enabled)
    app = create(telemetry, CATALOGUE, [faults.http()])
    faults.serves(app)

    @app.get("/work")
    async def do_work() -> dict[str, str]:
        await work.do()
        return {"work": "done"}

    @app.get("/begun")
    async def begun() -> int:
        return work.begun

    @app.get("/block")
    async def block(seconds: float) -> None:
        time.sleep(seconds)  # noqa: ASYNC251  # the mistake whose effect is under test

    grpc = GrpcServer(
        servicers(lambda _: work.do()),
        ServerInterceptor(telemetry, CATALOGUE),
        settings.bind_host,
        settings.grpc_port,
    )
    seam = CallSeam(Edge("toy", "peer", "rest"), EdgePolicy(attempt_timeout=1.0), telemetry, CATALOGUE)
    return Service(
        [HttpServer("http server", app, settings.bind_host, settings.http_port), grpc], seams=[seam], faults=faults
    )


if __name__ == "__main__":
    main("toy", ToySettings, bootstrap)

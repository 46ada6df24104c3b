"""The health that the gRPC services tell is that of what they need."""

import os
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from observability.telemetry import Telemetry
from services.chassis.rpc.server import GrpcServer
from services.chassis.service import Service
from services.chassis.settings import ServiceSettings
from services.inventory import bootstrap as inventory
from services.inventory.settings import InventorySettings
from services.payments import bootstrap as payments
from services.payments.settings import PaymentsSettings
from tests.contract.services.running import HOST, free_port, running

BOOTSTRAPS = {"inventory": (inventory.bootstrap, InventorySettings), "payments": (payments.bootstrap, PaymentsSettings)}


@pytest.fixture(params=BOOTSTRAPS)
def service(request: pytest.FixtureRequest, telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch) -> Service:
    """A real one, put together over a database that is away."""
    for name in ("GRPC_PORT", "ADMIN_PORT", "CONTROL_PORT"):
        monkeypatch.setenv(name, str(free_port()))
    monkeypatch.setenv("CONTROL_TOKEN", "0123456789abcdef")
    monkeypatch.setenv("DATABASE_URL", f"postgresql+asyncpg://nobody@{HOST}:{free_port()}/nothing")
    make: Any
    make, settings = BOOTSTRAPS[request.param]
    read: ServiceSettings = settings()
    made: Service = make(read, telemetry)
    return made


async def test_without_its_database_it_does_not_serve(service: Service) -> None:
    (server,) = [each for each in service.components if isinstance(each, GrpcServer)]
    async with running(server), grpc.aio.insecure_channel(f"{HOST}:{os.environ['GRPC_PORT']}") as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)  # its types are those of the blocking API
        found = await stub.Check(health_pb2.HealthCheckRequest())
    assert found.status == health_pb2.HealthCheckResponse.NOT_SERVING

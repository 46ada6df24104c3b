"""Replicas of a service of which there is nothing but their control listeners."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from chaos.control import Target
from chaos.control.target import Instance
from services.chassis import control
from services.chassis.faults import api
from services.chassis.faults.site import FaultSite
from services.chassis.http.server import HttpServer
from services.contracts.errors import CATALOGUE
from services.contracts.payments.v1 import payments_pb2  # noqa: F401 -- registers the service's methods
from tests.integration.chassis.ports import HOST, free_port
from tests.integration.chassis.processes import TOKEN
from tests.integration.chassis.rpc_toy import PAYMENTS
from tests.unit.chassis.recording import Recording

SERVICE = "payments"


class Replica:
    """One of them: the faults that it has, and its listener, which can be stopped."""

    def __init__(self, number: int, recording: Recording, token: str = TOKEN) -> None:
        self.site = FaultSite(SERVICE, recording.telemetry, CATALOGUE, enabled=True)
        self.site.grpc(PAYMENTS)
        self.site.storage(f"{SERVICE}-db", ["authorize"])
        port = free_port()
        self.instance = Instance(f"{SERVICE}-{number}", SERVICE, HOST, {"CONTROL_PORT": port})
        self.server = HttpServer("control", control.create_app(token, api.routes(self.site)), HOST, port)

    @property
    def ids(self) -> list[str]:
        return [each.fault.fault_id for each in self.site.store.active()]


class Replicas:
    """All of them, and where they are."""

    def __init__(self, replicas: list[Replica], token: str = TOKEN) -> None:
        self.all = replicas
        databases = {f"{SERVICE}-db": SERVICE}
        self.target = Target("http://127.0.0.1:1", token, [each.instance for each in replicas], databases)


@asynccontextmanager
async def served(count: int, recording: Recording, token: str = TOKEN) -> AsyncIterator[Replicas]:
    """So many replicas, which this token opens, for the block."""
    made = [Replica(number + 1, recording, token) for number in range(count)]
    async with AsyncExitStack() as stack:
        for each in made:
            await each.server.start()
            stack.push_async_callback(each.server.stop)
        yield Replicas(made)

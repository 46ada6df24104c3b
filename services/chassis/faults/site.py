"""Where faults are in one process: the store, the points of injection, and the steps that servers and database are given.

One object per process, made in its composition root.
"""

import asyncio
import random
from collections.abc import Sequence

from google.protobuf import descriptor_pool
from starlette.applications import Starlette
from starlette.middleware import Middleware

from observability.telemetry import Telemetry
from services.chassis.errors import Catalogue
from services.chassis.faults import document
from services.chassis.faults.answers import Answers
from services.chassis.faults.evidence import Evidence
from services.chassis.faults.injector import Injector
from services.chassis.faults.kinds import Kind, Protocol
from services.chassis.faults.model import Fault
from services.chassis.faults.points import Point
from services.chassis.faults.processes import ProcessFaults
from services.chassis.faults.rpc import RpcFaults
from services.chassis.faults.storage import StorageFaults
from services.chassis.faults.store import Armed, FaultStore

_WATCH_INTERVAL_S = 0.1


class FaultSite:
    """The faults of the process `service`; `enabled` says whether any may be set, `dice` decides whom they touch."""

    def __init__(
        self,
        service: str,
        telemetry: Telemetry,
        catalogue: Catalogue,
        *,
        enabled: bool,
        dice: random.Random | None = None,
    ) -> None:
        self.service, self.enabled = service, enabled
        self._points = [Point(service, Protocol.PROCESS)]
        self._answers = Answers(catalogue)
        self._evidence = Evidence(telemetry.metrics, list(Kind))
        self._dice = dice or random.Random()  # noqa: S311 -- chance, not secrecy
        self._processes: ProcessFaults | None = None
        self.store = FaultStore(changed=self._evidence.changed)

    def http(self) -> Middleware:
        """The innermost step of an application, whose routes `serves` tells."""
        # It comes with FastAPI, of which a process that speaks gRPC alone has no need; its start is a tenth shorter.
        from services.chassis.faults.http import HttpFaults  # noqa: PLC0415

        return Middleware(
            HttpFaults, injector=self._injector(self.service, Protocol.HTTP), slugs=self._answers.statuses
        )

    def serves(self, app: Starlette) -> None:
        """Its routes are what a fault can name."""
        self._points.append(Point(self.service, Protocol.HTTP, lambda: _routes(app)))

    def grpc(self, full_name: str) -> RpcFaults:
        """What a gRPC server of the service of that full name asks before each call."""
        self._points.append(Point(self.service, Protocol.GRPC, lambda: _methods(full_name)))
        return RpcFaults(self._injector(self.service, Protocol.GRPC), self._answers.codes)

    def storage(self, name: str, operations: Sequence[str]) -> StorageFaults:
        """What the database called `name` asks before each unit of work."""
        self._points.append(Point(name, Protocol.SQL, lambda: operations))
        return StorageFaults(self._injector(name, Protocol.SQL))

    def run_on(self, loop: asyncio.AbstractEventLoop) -> None:
        """From here on the process itself can be hurt; requests are served on `loop`."""
        self._processes = ProcessFaults(self._evidence, loop)

    def add(self, asked: object) -> Armed:
        """Puts in force what a document asks for. Raises FaultRefusedError, and then nothing has changed."""
        fault = self.check(asked)
        armed = self.store.add(fault)
        if fault.protocol is Protocol.PROCESS:
            self._process().begin(armed)
        return armed

    def check(self, asked: object) -> Fault:
        """The fault that a document asks for, which is not put in force. Raises FaultRefusedError where it cannot be."""
        fault = document.read(asked, self._points, self.service)
        self._answers.check(fault)
        return fault

    async def watch(self) -> None:
        """Ends what is over; runs in the control listener's own loop, so that a blocked one is healed too."""
        while True:
            self.store.prune()
            await asyncio.sleep(_WATCH_INTERVAL_S)

    def _process(self) -> ProcessFaults:
        if self._processes is None:
            raise RuntimeError("a fault of the process was set before it ran")
        return self._processes

    def _injector(self, service: str, protocol: Protocol) -> Injector:
        return Injector(service, protocol, self.store, self._evidence, self._dice)


def _routes(app: Starlette) -> list[str]:
    """`POST /v1/orders` and so on; what FastAPI adds to each by itself, HEAD, is not among them."""
    from fastapi.routing import iter_route_contexts  # noqa: PLC0415 -- as for `FaultSite.http`

    return [
        f"{method} {route.path}"
        for route in iter_route_contexts(app.routes)
        for method in sorted(route.methods or ())
        if method != "HEAD"
    ]


def _methods(full_name: str) -> list[str]:
    return [each.name for each in descriptor_pool.Default().FindServiceByName(full_name).methods]

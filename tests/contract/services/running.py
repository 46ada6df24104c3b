"""Components that run while a block does, on ports that nobody else has."""

import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from observability.telemetry import Telemetry
from services.chassis.calls import CallSeam
from services.chassis.component import Component
from services.chassis.edge import Edge, Kind
from services.chassis.resilience.adaptive_limit import AdaptiveLimitConfig
from services.chassis.resilience.load_shedding import LoadSheddingConfig
from services.chassis.resilience.pipeline import EdgePolicy
from services.contracts.errors import CATALOGUE

HOST = "127.0.0.1"
ROOM = LoadSheddingConfig(AdaptiveLimitConfig(initial=100, least=100, most=100), max_queue=0, max_wait_s=0.0)


@asynccontextmanager
async def running(*components: Component) -> AsyncIterator[None]:
    """Starts them in order; drains and stops them in reverse."""
    async with AsyncExitStack() as stack:
        for each in components:
            stack.push_async_callback(each.stop)
            stack.push_async_callback(each.drain)
            await each.start()
        yield


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as sock:
        sock.bind((HOST, 0))
        port: int = sock.getsockname()[1]
        return port


def seam(callee: str, kind: Kind, telemetry: Telemetry) -> CallSeam:
    return CallSeam(Edge("tests", callee, kind), EdgePolicy(attempt_timeout=10.0), telemetry, CATALOGUE)

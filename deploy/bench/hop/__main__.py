"""`python -m deploy.bench.hop VARIANT PORT COLLECTOR CORE`: serves until its standard input ends.

Says `ready` once it listens. `COLLECTOR` takes OTLP over gRPC. `CORE` is the one it keeps to, where the system can do that.
"""

import asyncio
import io
import sys

from deploy.bench.hop.app import Variant, create
from deploy.bench.hop.cores import keep_to
from deploy.bench.hop.load import HOST
from observability import garbage
from observability.telemetry import Telemetry, TelemetryConfig, start
from services.chassis.http.server import HttpServer


def main(variant: str, port: str, collector: str, core: str) -> None:
    """Serve one variant."""
    keep_to(int(core))
    telemetry = start(TelemetryConfig("hop", "0", "hop-1", collector), log_stream=io.StringIO())
    try:
        asyncio.run(_serve(Variant(variant), int(port), telemetry))
    finally:
        telemetry.shutdown()


async def _serve(variant: Variant, port: int, telemetry: Telemetry) -> None:
    server = HttpServer("hop", create(variant, telemetry), HOST, port)
    await server.start()
    garbage.settle()
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await server.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])

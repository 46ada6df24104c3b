"""The smallest process that Alertmanager can notify: keeps what it is told, for whoever asks. Run by the supervisor.

POST /notifications      a notification of Alertmanager's webhook
GET  /notifications      all of them, each with `received_at`, seconds since 1970
"""

import asyncio
import os
import signal
import time
from typing import Any

from aiohttp import web

_NOTIFICATIONS: list[dict[str, Any]] = []


async def keep(request: web.Request) -> web.Response:
    _NOTIFICATIONS.append({**await request.json(), "received_at": time.time()})
    return web.Response()


async def tell(_: web.Request) -> web.Response:
    return web.json_response(_NOTIFICATIONS)


async def ready(_: web.Request) -> web.Response:
    return web.Response()


async def main() -> None:
    told_to_end, loop = asyncio.Event(), asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, told_to_end.set)
    loop.add_reader(int(os.environ["LIFELINE_FD"]), told_to_end.set)  # nothing is ever written to it
    app = web.Application()
    app.add_routes([web.post("/notifications", keep), web.get("/notifications", tell), web.get("/readyz", ready)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, os.environ["BIND_HOST"], int(os.environ["HTTP_PORT"])).start()
    await told_to_end.wait()
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main())

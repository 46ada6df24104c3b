"""What the process tells: `GET /api/alerts`, and a page for each alert at `/runbooks/<AlertName>`."""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from observability.alerting.receiver import MOST_BYTES, Receiver, problem

log = logging.getLogger(__name__)

_NAME: Final = re.compile("[A-Za-z]{1,80}")

Overview = Callable[[], Awaitable[dict[str, Any]]]


def create_app(overview: Overview, receiver: Receiver, runbooks: Path) -> web.Application:
    """The application of the public listener."""

    async def alerts(_: web.Request) -> web.Response:
        return web.json_response(await overview())

    async def runbook(request: web.Request) -> web.Response:
        name = request.match_info["name"].removesuffix(".md")
        file = runbooks / f"{name}.md"
        if not _NAME.fullmatch(name) or not await asyncio.to_thread(file.is_file):
            return problem(404, f"There is no page of the alert {name[:80]!r}.")
        text = await asyncio.to_thread(file.read_text, "utf-8")
        # As plain text, which every browser shows; it reads well as it is.
        return web.Response(text=text, content_type="text/plain", charset="utf-8")

    app = web.Application(client_max_size=MOST_BYTES)
    app.add_routes([web.post("/notifications", receiver.take), web.get("/api/alerts", alerts)])
    app.add_routes([web.get("/runbooks/{name}", runbook)])
    return app

"""What every page's answer has in common, and the pages that say that there is nothing to show."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from observability.embedded import page

_HEADERS: Final[Mapping[str, str]] = {
    # The pages are text from other processes: even if some markup got through, nothing of it may run or be loaded.
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; img-src data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}
_LOOKS: Final = 5
_LOOK_AGAIN_S: Final = 2
_ON_ITS_WAY: Final = """Services send their spans every few seconds, so the trace of a request just made may still be
on its way. This page looks again by itself."""
_ABSENT: Final = """It has not come: it is of another system, was not sampled, or was made before the backend was last
started."""
_DROPPED: Final = "Only the newest traces are kept, in memory: it made room for others."
_SCRIPT: Final = (Path(page.__file__).parent / "assets" / "waterfall.js").read_bytes()


def html(body: str, status: int = 200) -> Response:
    return HTMLResponse(body, status, headers=_HEADERS)


def message(status: int, title: str, *paragraphs: str, detail: str = "") -> Response:
    """A page that says something; `detail` is shown as it was sent."""
    return html(page.render("message.html", title=title, paragraphs=paragraphs, detail=detail), status)


def dropped(digits: str) -> Response:
    return message(410, "This trace is gone", _DROPPED, detail=digits)


def absent(digits: str, looked: str) -> Response:
    """A page that looks again a few times, by itself, before it gives up. `digits` are known to be hexadecimal."""
    looks = int(looked) if re.fullmatch("[0-9]", looked) else 0
    if looks >= _LOOKS:
        return message(404, "This trace is not here", _ABSENT, detail=digits)
    waiting = message(404, "Waiting for this trace", _ON_ITS_WAY, detail=digits)
    waiting.headers["refresh"] = f"{_LOOK_AGAIN_S};url=/trace/{digits}?looked={looks + 1}"
    return waiting


async def script(_: Request) -> Response:
    """The one script there is: it helps with the keyboard."""
    return Response(_SCRIPT, media_type="text/javascript", headers={**_HEADERS, "cache-control": "max-age=60"})


async def not_found(request: Request, _: Exception) -> Response:
    return message(404, "There is no page here", detail=request.url.path)

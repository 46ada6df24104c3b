"""Takes Alertmanager's notifications, from whoever has the token; what is none is answered 4xx, counted, and forgotten."""

import hmac
import logging
import time
from collections.abc import Callable
from typing import Final

from aiohttp import web
from pydantic import ValidationError

from observability import semconv
from observability.alerting.notifications import Delivered, of_webhook
from observability.metrics import Instruments

log = logging.getLogger(__name__)

MOST_BYTES: Final = 1_000_000
_SCHEME: Final = "Bearer "


class Receiver:
    """`now` gives seconds since the epoch."""

    def __init__(
        self, delivered: Delivered, token: str, metrics: Instruments, now: Callable[[], float] = time.time
    ) -> None:
        self._delivered, self._token, self._metrics, self._now = delivered, token.encode(), metrics, now
        for result in semconv.NOTIFICATION_RESULTS:
            metrics.zero(semconv.ALERTS_NOTIFICATIONS, result)

    async def take(self, request: web.Request) -> web.Response:
        """`POST /notifications`: 200 with how many alerts were told of; 401, 413, 422."""
        if not self._may(request.headers.get("Authorization", "")):
            self._metrics.add(semconv.ALERTS_NOTIFICATIONS, semconv.NOTIFICATION_UNAUTHORIZED)
            log.warning("a notification was refused", extra={"status": 401, "detail": "its token is missing or wrong"})
            return problem(401, "The token is missing or wrong.", {"WWW-Authenticate": "Bearer"})
        try:
            found = of_webhook(await request.read(), self._now())
        except web.HTTPRequestEntityTooLarge:
            return self._refused(413, f"A notification may have at most {MOST_BYTES} bytes.")
        except ValidationError as exc:
            first = exc.errors(include_input=False, include_url=False)[0]
            where = ".".join(map(str, first["loc"]))
            return self._refused(
                422, f"This is no notification of Alertmanager's: {where}: {first['msg']}".replace(": :", ":")
            )
        self._metrics.add(semconv.ALERTS_NOTIFICATIONS, semconv.NOTIFICATION_ACCEPTED)
        for each in found:
            self._delivered.take(each)
        return web.json_response({"taken": len(found)})

    def _may(self, header: str) -> bool:
        token = header.removeprefix(_SCHEME) if header.startswith(_SCHEME) else ""
        # Of bytes that are no UTF-8 a header's text has surrogates.
        return hmac.compare_digest(token.strip().encode(errors="surrogateescape"), self._token)

    def _refused(self, status: int, detail: str) -> web.Response:
        self._metrics.add(semconv.ALERTS_NOTIFICATIONS, semconv.NOTIFICATION_MALFORMED)
        log.warning("a notification was refused", extra={"status": status, "detail": detail})
        return problem(status, detail)


def problem(status: int, detail: str, headers: dict[str, str] | None = None) -> web.Response:
    """A problem document (RFC 9457)."""
    return web.json_response(
        {"status": status, "detail": detail}, status=status, headers=headers, content_type="application/problem+json"
    )

"""The invariants of a run, checked once its load has ended and its orders are settled."""

import asyncio
import time
from collections.abc import Sequence
from typing import Final

from chaos.invariants import Acknowledged, InvariantsError, Report, databases_in, status_of_answer, verify
from chaos.measure.errors import MeasureError
from chaos.measure.requests import Request
from chaos.measure.site import Site, User

MAX_PENDING_S: Final = 90.0
_PATIENCE_S: Final = 30.0
_POLL_S: Final = 0.5


class InvariantsUnknownError(MeasureError):
    """The stores could not be read."""


class Invariants:
    """Proves them from the stores of the site, and from what the load's clients were told."""

    def __init__(self, site: Site) -> None:
        self._state = site.state
        self.report: Report | None = None

    def check(self, requests: Sequence[Request], users: Sequence[User]) -> Report:
        """The report, once no order is pending any more or patience has ended. Raises InvariantsUnknownError."""
        told = acknowledged(requests, users)
        give_up = time.monotonic() + _PATIENCE_S
        while True:
            self.report = self._verify(told)
            pending = self.report.counts["orders"].get("pending", 0)
            if (not pending and not self.report.moving) or time.monotonic() > give_up:
                return self.report
            time.sleep(_POLL_S)

    def _verify(self, told: Sequence[Acknowledged]) -> Report:
        try:
            now_us = time.time_ns() // 1000
            return asyncio.run(verify(databases_in(self._state), told, now_us=now_us, max_pending_s=MAX_PENDING_S))
        except InvariantsError as exc:
            raise InvariantsUnknownError(f"the invariants were not checked: {exc}") from exc


def acknowledged(requests: Sequence[Request], users: Sequence[User]) -> list[Acknowledged]:
    """What the answers said of the orders that they named."""
    return [
        Acknowledged(
            each.order_id,
            users[each.user].user_id,
            each.idempotency_key,
            status_of_answer(each.status, each.slug),
        )
        for each in requests
        if each.order_id
    ]

"""The load of an experiment, in a thread of its own: it goes on whatever the experiment does."""

import asyncio
import logging
import secrets
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Self

from chaos.load import DEFAULT_MIX, LoadError, LoadPlan, LoadReport, Mix, Result, fetch_product_ids, run_load
from chaos.measure.errors import MeasureError
from chaos.measure.requests import Request, of_result
from chaos.measure.site import Site

log = logging.getLogger(__name__)

_BEGIN_PATIENCE_S: Final = 20.0
_END_PATIENCE_S: Final = 30.0
_MOST: Final = 200_000  # requests in one run


class LoadFailedError(MeasureError):
    """The load could not begin, or broke."""


@dataclass(frozen=True)
class LoadOptions:
    """`rps` requests per second for `at_most_s` seconds, unless ended before; equal seeds ask for equal things."""

    rps: float
    at_most_s: float
    seed: int = 1
    mix: Mix = field(default_factory=lambda: DEFAULT_MIX)


class BackgroundLoad:
    """Sends until it is ended; a context manager. `requests` grows as they are finished."""

    def __init__(self, site: Site, options: LoadOptions) -> None:
        self._site, self._options = site, options
        self.users = site.users_of("load")
        self.requests: list[Request] = []
        self.report: LoadReport | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._begun = threading.Event()
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="load", daemon=True)

    def __enter__(self) -> Self:
        """Returns when the first request is due. Raises LoadFailedError."""
        self._thread.start()
        if not self._begun.wait(_BEGIN_PATIENCE_S) or self._failure:
            self.end()
            raise LoadFailedError(f"the load did not begin: {self._failure or 'no answer in time'}")
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        """No more requests; returns when those in flight are answered. May be called again."""
        if self._loop and self._stop and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(_END_PATIENCE_S)

    def finished(self) -> Sequence[Request]:
        """A copy of what is known so far."""
        return self.requests[:]

    @property
    def failure(self) -> str:
        """Why it broke; empty while all is well."""
        return f"{type(self._failure).__name__}: {self._failure}" if self._failure else ""

    def _run(self) -> None:
        try:
            self.report = asyncio.run(self._send())
        except Exception as exc:  # whatever it is: a run without load ends, and says why
            log.exception("no more load")
            self._failure = exc
        finally:
            self._begun.set()

    async def _send(self) -> LoadReport:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        keys = [each.key for each in self.users]
        if not keys:
            raise LoadError(f"{self._site.state} has no API keys for load")
        products = await fetch_product_ids(self._site.gateway_url, keys[0])
        options = self._options
        duration_s = min(options.at_most_s, _MOST / options.rps)
        plan = LoadPlan(
            options.rps, duration_s, options.seed, products, secrets.token_hex(4), users=len(keys), mix=options.mix
        )
        self._begun.set()
        return await run_load(plan, self._site.gateway_url, keys, on_result=self._keep, stop=self._stop)

    def _keep(self, result: Result) -> None:
        self.requests.append(of_result(result))

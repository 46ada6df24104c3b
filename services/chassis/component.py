"""The life cycle: a service is a list of components, started in order and drained in reverse."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Protocol

log = logging.getLogger(__name__)

_STOP_TIMEOUT = 2.0


class Component(Protocol):
    """A part of a process with a life of its own: a server, a loop, a pool of connections."""

    @property
    def name(self) -> str: ...

    async def start(self) -> None:
        """Begins; returns when it can be used. Raises if it can't."""

    async def drain(self) -> None:
        """Takes nothing new and returns when what was in flight is finished."""

    async def stop(self) -> None:
        """Lets go of everything at once. Safe after a failed `start` or a `drain` that was cut off."""


class Lifecycle:
    """Starts and ends components; `running` is True from the last start to the first drain."""

    def __init__(self, components: Sequence[Component], drain_timeout: float) -> None:
        self._components = components
        self._drain_timeout = drain_timeout
        self._touched: list[Component] = []
        self._started: list[Component] = []
        self.running = False

    async def start(self) -> None:
        """Starts all in order. Raises what the first that can't start raises; `end` is due all the same."""
        for each in self._components:
            self._touched.append(each)
            await each.start()
            self._started.append(each)
        self.running = True

    async def end(self) -> None:
        """Drains in reverse order within the drain timeout (seconds, for all together), then stops.

        What one component raises is logged and keeps no other from ending.
        """
        self.running = False
        try:
            async with asyncio.timeout(self._drain_timeout):
                for each in reversed(self._started):
                    await _attempted(each.name, each.drain)
        except TimeoutError:
            log.warning("drain cut off after %.1f s; what was in flight is lost", self._drain_timeout)
        for each in reversed(self._touched):
            await _attempted(each.name, partial(_stopped, each))


async def _stopped(component: Component) -> None:
    async with asyncio.timeout(_STOP_TIMEOUT):
        await component.stop()


async def _attempted(name: str, step: Callable[[], Awaitable[None]]) -> None:
    try:
        await step()
    except Exception:  # the process is ending: the others must end as well, and the log says why this one did not
        log.exception("component did not end well", extra={"component": name})

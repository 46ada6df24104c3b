"""Scrapes the system twice a second while an experiment runs, in a thread of its own."""

import logging
import threading
import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final, Self

from chaos.control import ControlError, process_control
from chaos.control.target import Instance
from chaos.measure.errors import MeasureError
from chaos.measure.http import get_text
from chaos.measure.samples import ProcessSeen, Ring, Sample
from chaos.measure.site import Site
from observability.exposition import Samples, parse

log = logging.getLogger(__name__)

EVERY_S: Final = 0.5
_PATIENCE_S: Final = 0.8
_ADMIN: Final = "ADMIN_PORT"


class Sampler:
    """Fills a ring; a context manager. `on_sample` is called in its thread and must be quick.

    Who does not answer in time is missing in that sample: a process that is down is a finding, not a failure.
    `on_failure` is told, in its thread too, why it ended by itself: from then on nobody looks at the system.
    """

    def __init__(
        self,
        site: Site,
        names: Collection[str],
        began: float,
        on_sample: Callable[[Sample], None] = lambda _: None,
        on_failure: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.ring = Ring()
        self._names, self._began = names, began
        self._on_sample, self._on_failure = on_sample, on_failure
        self._sampling = threading.Lock()
        self._control = process_control(site.target)
        self._instances = tuple(site.with_listener(_ADMIN))
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sampler", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def sample(self) -> Sample:
        """One more sample, now, which is kept too; any thread may ask for it."""
        with ThreadPoolExecutor(len(self._instances) + 1) as pool:
            return self._sample(pool)

    def _run(self) -> None:
        try:
            self._go_on_sampling()
        except Exception as exc:
            log.exception("no more samples")
            self._on_failure(f"{type(exc).__name__}: {exc}")

    def _go_on_sampling(self) -> None:
        due = time.monotonic()
        with ThreadPoolExecutor(len(self._instances) + 1) as pool:
            while not self._ended.wait(max(0.0, due - time.monotonic())):
                due = max(due + EVERY_S, time.monotonic())
                try:
                    self._on_sample(self._sample(pool))
                except MeasureError as exc:
                    log.warning("a sample was not heard of", extra={"error": str(exc)})

    def _sample(self, pool: ThreadPoolExecutor) -> Sample:
        # One at a time: samples that overtake each other would look as if counters had begun anew.
        with self._sampling:
            at_s = time.monotonic() - self._began
            processes = pool.submit(self._processes)
            scraped = pool.map(self._scraped, self._instances)
            seen = zip(self._instances, scraped, strict=True)
            metrics = {each.name: found for each, found in seen if found is not None}
            sample = Sample(at_s, metrics, processes.result())
            self.ring.add(sample)
            return sample

    def _scraped(self, instance: Instance) -> Samples | None:
        with suppress(MeasureError):
            return parse(get_text(instance.address(_ADMIN) + "/metrics", _PATIENCE_S), self._names)
        return None

    def _processes(self) -> Mapping[str, ProcessSeen]:
        try:
            return {each.instance: ProcessSeen(each.state, each.pid) for each in self._control.states()}
        except ControlError as exc:
            log.warning("the supervisor did not tell its processes", extra={"error": str(exc)})
            return {}

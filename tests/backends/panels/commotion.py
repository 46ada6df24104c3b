"""A system that has everything a dashboard can show: load, an experiment, faults, and what policies make of them."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from http.client import HTTPException

from chaos.control import AwayError, Fault, HttpExperimentControl, HttpFaultControl, Target
from deploy.system import System
from tests.e2e.running import shopper

EXPERIMENT = "panels"
ARM = "full"
TTL_S = 600.0
EVERY_S = 3.0
CROWD = 48
"""More requests at once than the gateway of `topologies.NARROW` takes in."""

FAULTS = (
    Fault("payments", "latency", TTL_S, {"ms": 150}, experiment=EXPERIMENT),
    Fault("payments", "error", TTL_S, probability=0.6, experiment=EXPERIMENT),
    Fault("orders", "error", TTL_S, operation="POST /v1/orders", probability=0.4, experiment=EXPERIMENT),
    Fault("inventory", "latency", TTL_S, {"ms": 600}, "GetProduct", probability=0.2, experiment=EXPERIMENT),
    Fault("inventory", "latency", TTL_S, {"ms": 600}, "ListProducts", probability=0.2, experiment=EXPERIMENT),
)
"""Payments is slow and mostly fails: retries, an open breaker, fallbacks. Orders fails so often that the budget of those who
call it is spent, and not so often that their breaker stays open: errors that nothing hides. Reads are slow at times: hedges.
"""


class Commotion:
    """Goes on for as long as it is kept up."""

    def __init__(self, system: System, target: Target) -> None:
        self._api = shopper(system)
        self._experiments = HttpExperimentControl(target, "gateway")
        self._again_at = 0.0

    def keep_up(self) -> None:
        """The experiment still runs, and every few seconds too many customers come at once."""
        if time.monotonic() < self._again_at:
            return
        self._again_at = time.monotonic() + EVERY_S
        with suppress(AwayError):  # on a busy machine; it is said again
            self._experiments.runs(EXPERIMENT, ARM, 30.0)
        with ThreadPoolExecutor(CROWD) as pool:
            list(pool.map(self._browse, range(CROWD)))

    def _browse(self, _: int) -> None:
        with suppress(OSError, HTTPException):  # whatever becomes of it
            self._api.get("/api/v1/products")


@contextmanager
def commotion(system: System, target: Target) -> Iterator[Commotion]:
    """Faults are in force until left."""
    faults = HttpFaultControl(target)
    for each in FAULTS:
        faults.add(each)
    try:
        yield Commotion(system, target)
    finally:
        faults.clear()

"""The system as it is, but for settings that tests need; the references are how the supervisor is told of them."""

from dataclasses import replace

from deploy.topology import FAULTLINE, Process, Topology


def _with(topology: Topology, name: str, **settings: str) -> Topology:
    """`topology` with `settings` for the process called `name`."""

    def changed(process: Process) -> Process:
        return replace(process, settings={**process.settings, **settings}) if process.name == name else process

    return replace(topology, processes=tuple(map(changed, topology.processes)))


PLENTIFUL = _with(FAULTLINE, "inventory", CATALOGUE_STOCK="100000000")
PLENTIFUL_REFERENCE = f"{__name__}:PLENTIFUL"
"""With more on its shelves than any test can buy."""

LEFT_ALONE = _with(PLENTIFUL, "orders", RECOVERY_INTERVAL_S="60")
LEFT_ALONE_REFERENCE = f"{__name__}:LEFT_ALONE"
"""As plentiful, but nobody carries on what a request left pending: all calls there are, are requests'."""

IMPATIENT = _with(
    FAULTLINE, "gateway", HEADER_TIMEOUT_S="0.5", BODY_TIMEOUT_S="0.5", MAX_CONNECTIONS="20", IDLE_TIMEOUT_S="60"
)
IMPATIENT_REFERENCE = f"{__name__}:IMPATIENT"
"""A gateway that waits for nobody, and for few at a time."""

CROWDED = _with(
    FAULTLINE,
    "gateway",
    CONCURRENCY_LIMIT_MIN="1",
    CONCURRENCY_LIMIT_MAX="1",
    REQUEST_QUEUE="0",
    REQUEST_QUEUE_WAIT_S="1",
)
CROWDED_REFERENCE = f"{__name__}:CROWDED"
"""A gateway that serves one request at a time, and lets nobody wait."""

NARROW = _with(PLENTIFUL, "gateway", CONCURRENCY_LIMIT_MIN="16", CONCURRENCY_LIMIT_MAX="16", REQUEST_QUEUE="0")
NARROW_REFERENCE = f"{__name__}:NARROW"
"""As plentiful, behind a gateway that takes in few requests at once."""

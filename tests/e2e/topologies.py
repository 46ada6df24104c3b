"""The system as it is, but for settings that tests need."""

from dataclasses import replace

from deploy.topology import FAULTLINE, Process


def _stocked(process: Process) -> Process:
    if process.name != "inventory":
        return process
    return replace(process, settings={**process.settings, "CATALOGUE_STOCK": "100000000"})


PLENTIFUL = replace(FAULTLINE, processes=tuple(map(_stocked, FAULTLINE.processes)))
"""With more on its shelves than any test can buy."""


def _left_alone(process: Process) -> Process:
    if process.name != "orders":
        return process
    return replace(process, settings={**process.settings, "RECOVERY_INTERVAL_S": "60"})


LEFT_ALONE = replace(PLENTIFUL, processes=tuple(map(_left_alone, PLENTIFUL.processes)))
"""As plentiful, but nobody carries on what a request left pending: all calls there are, are requests'."""
LEFT_ALONE_REFERENCE = f"{__name__}:LEFT_ALONE"
PLENTIFUL_REFERENCE = f"{__name__}:PLENTIFUL"
"""How the supervisor is told of it."""

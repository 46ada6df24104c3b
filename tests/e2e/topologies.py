"""The system as it is, with more on its shelves than any test can buy."""

from dataclasses import replace

from deploy.topology import FAULTLINE, Process


def _stocked(process: Process) -> Process:
    if process.name != "inventory":
        return process
    return replace(process, settings={**process.settings, "CATALOGUE_STOCK": "100000000"})


PLENTIFUL = replace(FAULTLINE, processes=tuple(map(_stocked, FAULTLINE.processes)))
PLENTIFUL_REFERENCE = f"{__name__}:PLENTIFUL"
"""How the supervisor is told of it."""

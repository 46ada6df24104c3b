"""A system that is never idle: the topology with a process that sends load, slowly and without end."""

from dataclasses import replace
from typing import Final

from deploy.errors import UsageError
from deploy.topology import ADMIN_PORT, Listener, Process, Targets, Topology

LOAD: Final = "load"
# As the process itself has them; not imported, as that would load it into the supervisor.
LEAST_RPS: Final = 0.01
MOST_RPS: Final = 100.0
_GATEWAY: Final = "gateway"
_PLENTY: Final = 100_000_000
"""Pieces of each product in a new inventory: load without end would sell out what a shop usually has."""


def with_load(topology: Topology, rps: float) -> Topology:
    """`topology` with load of so many requests per second at its gateway, beginning when that is ready.

    Raises UsageError for a rate that is none, and for a topology without a gateway.
    """
    if not LEAST_RPS <= rps <= MOST_RPS:
        raise UsageError(f"--load: {rps:g} is not within {LEAST_RPS:g}..{MOST_RPS:g} requests per second")
    names = [each.name for each in topology.processes]
    if _GATEWAY not in names:
        raise UsageError(f"--load: this topology has no {_GATEWAY}; processes: {', '.join(names)}")
    # Last, as it depends on all others: so it is the first to end.
    return replace(topology, processes=(*map(_stocked, topology.processes), _process(rps)))


def _process(rps: float) -> Process:
    return Process(
        LOAD,
        "chaos.load",
        (Listener(ADMIN_PORT, 9086),),
        (Targets("GATEWAY_TARGETS", _GATEWAY, "HTTP_PORT", "http://"),),
        client_keys=True,
        only_one_as="its rate is for all together; choose a higher one with --load",
        settings={"LOAD_RPS": f"{rps:g}"},
    )


def _stocked(process: Process) -> Process:
    if process.name != "inventory":
        return process
    return replace(process, settings={"CATALOGUE_STOCK": str(_PLENTY), **process.settings})

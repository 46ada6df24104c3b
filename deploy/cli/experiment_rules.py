"""An experiment held against a system that does not run: its topology, and the injector's own rules for faults.

Which operations there are, only a running system knows.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from chaos.control import Fault, RefusedError, Target
from chaos.control.faults import asked
from chaos.control.target import Instance
from chaos.measure.site import Site
from chaos.runs import activities
from chaos.runs.activities import Activity
from chaos.runs.catalogue import Experiment
from chaos.runs.errors import InvalidError
from deploy.supervisor.plan import MAX_REPLICAS
from deploy.topology import CONTROL_PORT, Process, Topology
from services.chassis.faults import document
from services.chassis.faults.answers import Answers
from services.chassis.faults.errors import FaultRefusedError
from services.chassis.faults.kinds import Protocol
from services.chassis.faults.points import Point
from services.contracts.errors import CATALOGUE

_PROTOCOLS = {CONTROL_PORT: Protocol.PROCESS, "HTTP_PORT": Protocol.HTTP, "GRPC_PORT": Protocol.GRPC}
"""Listener → what can be hurt in a service that has it."""
_ANSWERS = Answers(CATALOGUE)


def check(experiment: Experiment, topology: Topology) -> None:
    """Raises InvalidError naming the culprit, the reason and the valid choices."""
    try:
        found = activities.activities(experiment.document)
        site = _site(topology, found)
        activities.check_own_edge(site, experiment.declared.edge)
        activities.check_site(found, site)
        activities.check_faults(found, injector(topology, site.target))
    except InvalidError as exc:
        raise InvalidError(f"{experiment.file.name}: {exc}") from exc


def injector(topology: Topology, target: Target) -> Callable[[Fault], None]:
    """What refuses a fault as the services of this topology would, but that it takes every operation."""
    processes = {each.name: each for each in topology.processes}

    def refuse(fault: Fault) -> None:
        host = target.hosts(fault.service)[0]
        points = list(_points(processes[host.service], topology, fault.operation))
        try:
            _ANSWERS.check(document.read(asked(host, fault, fault.fault_id), points, host.service))
        except FaultRefusedError as exc:
            errors = [{"field": exc.field, "message": exc.reason}]
            raise RefusedError(fault.service, 422, {"detail": str(exc), "errors": errors}) from exc

    return refuse


def _points(process: Process, topology: Topology, operation: str) -> Iterator[Point]:
    for each in process.listeners:
        if each.setting in _PROTOCOLS:
            yield Point(process.name, _PROTOCOLS[each.setting], lambda: [operation])
    for callee in _databases(topology, process.name):
        yield Point(callee, Protocol.SQL, lambda: [operation])


def _databases(topology: Topology, owner: str) -> list[str]:
    return [each.callee for each in topology.edges if each.kind == "sql" and each.caller == owner]


def _site(topology: Topology, found: Sequence[Activity]) -> Site:
    """As `up` would make it, with those further replicas that the experiment names."""
    named = {str(each.arguments.get("service")) for each in found}
    instances = [
        Instance(name, process.name, "", {each.setting: each.port for each in process.listeners})
        for process in topology.processes
        for number in range(1, 2 if process.only_one_as else MAX_REPLICAS + 1)
        if (name := f"{process.name}-{number}") in named or number == 1
    ]
    databases = {each.callee: each.caller for each in topology.edges if each.kind == "sql"}
    edges = tuple(f"{each.caller}/{each.callee}" for each in topology.edges)
    return Site(Path(), Target("", "", instances, databases), "", "", (), edges)

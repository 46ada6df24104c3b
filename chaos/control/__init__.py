"""Hurting and healing a running system from outside, by addresses: faults in its services, and its processes.

    found = target.read(state_folder)
    faults, processes = HttpFaultControl(found), process_control(found)
    faults.add(Fault("payments", "latency", ttl_s=60, parameters={"ms": 500}))
    processes.kill("payments", ttl_s=10)

Whoever uses it depends on `ports`: a system in containers is another adapter (`choice`), as one in a cluster would be. A name is a
service's (`payments`: all its replicas), a replica's (`payments-2`), or, for faults, a database's (`payments-db`).
"""

from chaos.control.choice import process_control
from chaos.control.docker import DockerProcessControl
from chaos.control.errors import (
    AwayError,
    ControlError,
    HoldError,
    NotRunningError,
    RefusedError,
    UnknownTargetError,
    WrongStateError,
)
from chaos.control.experiments import HttpExperimentControl
from chaos.control.fault import (
    INJECTED_KINDS,
    PROCESS_KINDS,
    REQUEST_KINDS,
    SUPERVISED_KINDS,
    Fault,
    Found,
    PlacedFault,
    max_ttl_s,
)
from chaos.control.faults import HttpFaultControl, new_fault_id
from chaos.control.policies import HttpPolicyControl
from chaos.control.policy import EdgePolicies, FoundPolicies
from chaos.control.ports import ExperimentControl, FaultControl, PolicyControl, ProcessControl
from chaos.control.process_state import ProcessState
from chaos.control.processes import HttpProcessControl
from chaos.control.target import Target

__all__ = [
    "INJECTED_KINDS",
    "PROCESS_KINDS",
    "REQUEST_KINDS",
    "SUPERVISED_KINDS",
    "AwayError",
    "ControlError",
    "DockerProcessControl",
    "EdgePolicies",
    "ExperimentControl",
    "Fault",
    "FaultControl",
    "Found",
    "FoundPolicies",
    "HoldError",
    "HttpExperimentControl",
    "HttpFaultControl",
    "HttpPolicyControl",
    "HttpProcessControl",
    "NotRunningError",
    "PlacedFault",
    "PolicyControl",
    "ProcessControl",
    "ProcessState",
    "RefusedError",
    "Target",
    "UnknownTargetError",
    "WrongStateError",
    "max_ttl_s",
    "new_fault_id",
    "process_control",
]

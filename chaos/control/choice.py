"""Which adapter reaches the processes of a system, by how it is run."""

from chaos.control.docker import SCHEME, DockerProcessControl
from chaos.control.ports import ProcessControl
from chaos.control.processes import HttpProcessControl
from chaos.control.target import Target


def process_control(target: Target) -> ProcessControl:
    """Over the supervisor's control API, or through Docker for a system in containers."""
    return DockerProcessControl(target) if target.supervisor_address.startswith(SCHEME) else HttpProcessControl(target)

"""What is known of a system in containers: from its state folder, and from Docker."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Self

from chaos.control import ControlError, DockerProcessControl
from chaos.control import target as targets
from chaos.control.docker import SCHEME, Container
from deploy import errors
from deploy.supervisor.state import StateFolder, read_json


class Containers:
    """As a `SupervisorClient`, as far as both can be asked the same."""

    def __init__(self, state: StateFolder) -> None:
        self._state = state

    @classmethod
    def of(cls, state: StateFolder) -> Self | None:
        """None where the folder is not that of a system in containers. Raises StateError."""
        control = state.control()
        return cls(state) if control and control.address.startswith(SCHEME) else None

    def topology(self) -> dict[str, Any]:
        """The content of topology.json. Raises StateError."""
        return dict(read_json(self._state.topology_file) or {})

    def overview(self) -> dict[str, Any]:
        """`{"processes": [...], "supervisor": {...}}`. Raises ControlError."""
        try:
            target = targets.read(self._state.path)
            found = {each.name: each for each in DockerProcessControl(target).containers()}
        except ControlError as exc:
            raise errors.ControlError(str(exc)) from exc
        described = [
            _described(found[each.name], each.service, each.listeners)
            for each in target.instances
            if each.name in found
        ]
        own = {"pid": None, "status": "in containers", "memory_bytes": None, "memory_kind": ""}
        return {"processes": described, "supervisor": own}


def _described(container: Container, service: str, listeners: Mapping[str, int]) -> dict[str, Any]:
    started = datetime.fromisoformat(container.started_at[:19]).replace(tzinfo=UTC) if container.pid else None
    return {
        "instance": container.name,
        "service": service,
        "state": container.state,
        "pid": container.pid,
        "ports": dict(listeners),
        "restarts": container.restarts,
        "started_at": started.isoformat() if started else None,
        "uptime_s": (datetime.now(UTC) - started).total_seconds() if started else None,
        "detail": container.detail,
        "memory_bytes": None,
        "memory_kind": None,
    }

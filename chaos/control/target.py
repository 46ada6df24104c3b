"""Where a running system is: read from the files that its supervisor keeps in the state folder."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chaos.control.errors import NotRunningError, UnknownTargetError, WrongStateError

_CONTROL_PORT = "CONTROL_PORT"


@dataclass(frozen=True)
class Instance:
    """One process; `listeners` are its ports by the setting that chose them. It can be told where it has a control port."""

    name: str
    service: str
    host: str
    listeners: Mapping[str, int]

    @property
    def can_be_told(self) -> bool:
        return _CONTROL_PORT in self.listeners

    @property
    def control_address(self) -> str:
        """Base address of its control listener, such as `http://127.0.0.1:9183`. Raises KeyError where it has none."""
        return self.address(_CONTROL_PORT)

    def address(self, listener: str) -> str:
        """Base address of a listener. Raises KeyError."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.listeners[listener]}"


@dataclass(frozen=True)
class Target:
    """A running system. `databases` are names of databases and the service that owns each; `token` opens every control API.

    `folder` is its state folder.
    """

    supervisor_address: str
    token: str = field(repr=False)
    instances: Sequence[Instance] = ()
    databases: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None

    def processes(self, name: str) -> list[Instance]:
        """The replicas of a service, or the one replica, of that name. Raises UnknownTargetError."""
        found = [each for each in self.instances if name in {each.name, each.service}]
        if not found:
            raise UnknownTargetError(name, self._names(self.instances))
        return found

    def hosts(self, name: str) -> list[Instance]:
        """Who holds the faults of that name: a database's are held by its owner. Raises UnknownTargetError."""
        service = self.databases.get(name, name)
        found = [each for each in self.can_be_told if service in {each.name, each.service}]
        if not found:
            raise UnknownTargetError(name, [*self._names(self.can_be_told), *self.databases])
        return found

    @property
    def can_be_told(self) -> list[Instance]:
        """Everybody who has a control listener."""
        return [each for each in self.instances if each.can_be_told]

    @staticmethod
    def _names(instances: Sequence[Instance]) -> list[str]:
        services = list(dict.fromkeys(each.service for each in instances))
        replicated = [each.name for each in instances if sum(each.service == other.service for other in instances) > 1]
        return [*services, *replicated]


def read(state: Path | str) -> Target:
    """The system that runs on this state folder. Raises NotRunningError, WrongStateError."""
    folder = Path(os.path.expanduser(state))  # noqa: PTH111 -- takes text and paths alike
    control, topology = _document(folder / "control.json"), _document(folder / "topology.json")
    if control is None or topology is None:
        raise NotRunningError(f"Faultline is not running (state folder {folder}); start it with `faultline up`")
    try:
        return _target(control, topology, folder)
    except (KeyError, TypeError) as exc:
        raise WrongStateError(f"{folder}: its files are not a supervisor's ({exc})") from exc


def _target(control: Mapping[str, Any], topology: Mapping[str, Any], folder: Path) -> Target:
    return Target(
        control["address"],
        control["token"],
        [_instance(each) for each in topology["processes"]],
        {each["callee"]: each["caller"] for each in topology["edges"] if each["kind"] == "sql"},
        folder,
    )


def _instance(process: Mapping[str, Any]) -> Instance:
    return Instance(process["instance"], process["service"], process["host"], process["listeners"])


def _document(file: Path) -> Mapping[str, Any] | None:
    try:
        found: Mapping[str, Any] = json.loads(file.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as exc:
        raise WrongStateError(f"{file}: cannot be read: {exc}") from exc
    return found

"""What a program must know of the system that it joins: who listens where, as `topology.json` has it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self


@dataclass(frozen=True)
class Instance:
    """One process; `listeners` are its ports by the setting that chose them."""

    name: str
    service: str
    host: str
    listeners: Mapping[str, int]

    def address(self, listener: str) -> str:
        """`host:port`. Raises KeyError."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.listeners[listener]}"


@dataclass(frozen=True)
class Site:
    """All processes of the system, and the one that asks."""

    instances: Sequence[Instance]
    own: Instance

    @classmethod
    def read(cls, file: Path, own: str) -> Self:
        """Raises OSError, ValueError, KeyError for a file that is not a supervisor's."""
        processes: Sequence[Mapping[str, Any]] = json.loads(file.read_bytes())["processes"]
        instances = [Instance(each["instance"], each["service"], each["host"], each["listeners"]) for each in processes]
        return cls(instances, {each.name: each for each in instances}[own])

    def with_listener(self, listener: str) -> list[Instance]:
        return [each for each in self.instances if listener in each.listeners]

    def of_service(self, service: str) -> list[Instance]:
        return [each for each in self.instances if each.service == service]

    def url(self, service: str, listener: str) -> str | None:
        """Base address of a service's first replica; None when it does not take part."""
        return next((f"http://{each.address(listener)}" for each in self.of_service(service)), None)

"""Where a running system is, and who may use it: what its state folder says, for a run."""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from chaos.control import ControlError, Target
from chaos.control import target as targets
from chaos.control.target import Instance
from chaos.measure.errors import NotRunningError

ENVIRONMENT_KEY: Final = "FAULTLINE_STATE_DIR"
_CHECKOUT: Final = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class User:
    """Somebody with an API key."""

    user_id: str
    client_id: str
    key: str


@dataclass(frozen=True)
class Site:
    """A system that runs; `edges` are its calls, such as `orders/payments`; `alerts_url` is empty where nobody evaluates."""

    state: Path
    target: Target
    gateway_url: str
    query_url: str
    users: tuple[User, ...]
    edges: tuple[str, ...] = ()
    alerts_url: str = ""

    @property
    def services(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(each.service for each in self.target.instances))

    @property
    def public_service(self) -> str:
        """The one that customers talk to; empty where none of those that are known is at the public address."""
        public = (
            each.service
            for each in self.target.instances
            if self.gateway_url in {each.address(listener) for listener in each.listeners}
        )
        return next(public, "")

    def of_service(self, service: str) -> tuple[Instance, ...]:
        """Its replicas; none for a service that there is not."""
        return tuple(each for each in self.target.instances if each.service == service)

    def service_of(self, instance: str) -> str:
        """The service that a replica is of; empty for a replica that there is not."""
        return next((each.service for each in self.target.instances if each.name == instance), "")

    def with_listener(self, listener: str) -> Iterator[Instance]:
        return (each for each in self.target.instances if listener in each.listeners)

    def users_of(self, client_id: str) -> Sequence[User]:
        return [each for each in self.users if each.client_id == client_id]


def default_state() -> Path:
    """The state folder that is meant when none is named."""
    named = os.environ.get(ENVIRONMENT_KEY)
    return (
        Path(named) if named else (_CHECKOUT if (_CHECKOUT / "pyproject.toml").exists() else Path.cwd()) / ".faultline"
    )


def site_of(state: Path) -> Site:
    """The system that runs on this state folder. Raises NotRunningError."""
    try:
        target = targets.read(state)
    except ControlError as exc:
        raise NotRunningError(str(exc)) from exc
    topology, keys = (_read(state, name) for name in ("topology.json", "client-keys.json"))
    try:
        return Site(
            state=state,
            target=target,
            gateway_url=topology["gateway_url"],
            query_url=topology["query_url"],
            users=tuple(User(each["user_id"], each["client_id"], each["key"]) for each in keys),
            edges=tuple(f"{each['caller']}/{each['callee']}" for each in topology["edges"]),
            alerts_url=str(topology.get("alerts_url") or ""),
        )
    except (KeyError, TypeError) as exc:
        raise NotRunningError(f"{state}: not the files of a running system ({exc!r})") from exc


def _read(state: Path, name: str) -> Any:
    try:
        return json.loads((state / name).read_bytes())
    except (OSError, ValueError) as exc:
        raise NotRunningError(f"{state / name}: cannot be read ({exc})") from exc

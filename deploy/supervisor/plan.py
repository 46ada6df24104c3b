"""From the topology to the processes of one run: instances, their ports, their environment. Pure, but for the ports."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from deploy.errors import UsageError
from deploy.ports import Wanted
from deploy.supervisor.state import StateFolder
from deploy.topology import ADMIN, ADMIN_PORT, CONTROL_PORT, Listener, Process, Readiness, Topology

MAX_REPLICAS = 9
DATABASE_URL: Final = "DATABASE_URL"
_RECOGNISABLE: Final = 12  # characters of a password

Ports = Mapping[tuple[str, str], int]
"""(instance, setting) → port."""


@dataclass(frozen=True)
class ChildSpec:
    """One process to run. `environment` holds its settings, without the lifeline, which is the supervisor's."""

    instance: str
    service: str
    module: str
    listeners: Mapping[str, int]
    environment: Mapping[str, str]
    readiness: Readiness = ADMIN
    optional: bool = False


@dataclass(frozen=True)
class Site:
    """What all processes of one run share. `settings` reach every process whose topology does not say otherwise."""

    state: StateFolder
    host: str
    token: str
    drain_timeout_s: float
    keep_traces: bool = False
    settings: Mapping[str, str] = field(default_factory=dict)


class Plan:
    """The instances of a topology: replica n of `orders` is `orders-n`.

    `databases` are the SQLAlchemy URLs of those processes whose database is elsewhere than in the state folder.
    """

    def __init__(
        self,
        topology: Topology,
        replicas: Mapping[str, int] | None = None,
        databases: Mapping[str, str] | None = None,
    ) -> None:
        """Raises UsageError for a process that does not exist or has no database, or replicas that cannot be."""
        self.topology = topology
        self._replicas = _checked(topology, replicas or {})
        self._databases = _checked_databases(topology, databases or {})

    @property
    def secrets(self) -> set[str]:
        """The passwords in the databases' URLs, but for those that may be words of everyday use."""
        passwords = {unquote(urlsplit(each).password or "") for each in self._databases.values()}
        return {each for each in passwords if len(each) >= _RECOGNISABLE}

    def instances(self) -> Iterator[tuple[str, Process]]:
        for process in self.topology.processes:
            for name in self.instances_of(process.name):
                yield name, process

    def instances_of(self, service: str) -> list[str]:
        return [f"{service}-{number + 1}" for number in range(self._replicas.get(service, 1))]

    def fixed(self) -> list[Wanted]:
        """The ports that `fixed_ports` gives to first replicas."""
        return [
            Wanted(each.port, f"{process.name}-1 {each.setting}")
            for process in self.topology.processes
            for each in process.listeners
        ]

    def fixed_ports(self, take_free: Callable[[], int]) -> Ports:
        """First replicas listen where the topology says; further ones on free ports."""
        return self._ports(lambda name, listener: listener.port if name.endswith("-1") else take_free())

    def free_ports(self, take_free: Callable[[], int]) -> Ports:
        return self._ports(lambda _name, _listener: take_free())

    def children(self, ports: Ports, site: Site) -> list[ChildSpec]:
        """What to run, in the order of dependence."""
        return [self._child(name, process, ports, site) for name, process in self.instances()]

    def describe(self, ports: Ports, host: str, control_address: str) -> dict[str, Any]:
        """The content of `topology.json`: every address and edge, no secret."""
        return {
            "control_url": control_address,
            **{
                page.key: self._page(page.process, page.listener, ports, host) + page.path
                for page in self.topology.pages
            },
            "pages": [
                {"label": page.label, "url": self._page(page.process, page.listener, ports, host) + page.path}
                for page in self.topology.pages
            ],
            "processes": [
                {"instance": name, "service": process.name, "host": host, "listeners": _listeners(name, process, ports)}
                for name, process in self.instances()
            ],
            "edges": [
                {"caller": each.caller, "callee": each.callee, "kind": each.kind} for each in self.topology.edges
            ],
            "programs": [asdict(each) for each in self.topology.programs],
        }

    def _ports(self, choose: Callable[[str, Listener], int]) -> Ports:
        return {
            (name, listener.setting): choose(name, listener)
            for name, process in self.instances()
            for listener in process.listeners
        }

    def _child(self, name: str, process: Process, ports: Ports, site: Site) -> ChildSpec:
        listeners = _listeners(name, process, ports)
        environment = {
            **site.settings,
            "BIND_HOST": site.host,
            "SERVICE_INSTANCE_ID": name,
            "DRAIN_TIMEOUT_S": f"{site.drain_timeout_s:g}",
            **{setting: str(port) for setting, port in listeners.items()},
            **self._addresses(process, ports, site.host),
            **_belongings(name, process, site),
            **self._database(process, site),
            **self._watched(process, ports, site.host),
            **process.settings,
        }
        return ChildSpec(
            name,
            process.name,
            process.module,
            MappingProxyType(listeners),
            MappingProxyType(environment),
            process.readiness,
            process.optional,
        )

    def _addresses(self, process: Process, ports: Ports, host: str) -> dict[str, str]:
        return {
            each.setting: ",".join(
                f"{each.scheme}{address(host, ports[peer, each.listener])}" for peer in self.instances_of(each.peer)
            )
            for each in process.targets
        }

    def _database(self, process: Process, site: Site) -> dict[str, str]:
        if not process.database:
            return {}
        return {DATABASE_URL: self._databases.get(process.name) or site.state.database_url(process.name)}

    def _watched(self, process: Process, ports: Ports, host: str) -> dict[str, str]:
        if not process.watches:
            return {}
        told = (
            f"{each.name}/{name}={address(host, ports[name, ADMIN_PORT])}"
            for name, each in self.instances()
            if (name, ADMIN_PORT) in ports
        )
        return {"SCRAPE_TARGETS": ",".join(told)}

    def _page(self, service: str, listener: str, ports: Ports, host: str) -> str:
        return f"http://{address(host, ports[self.instances_of(service)[0], listener])}"


def _belongings(name: str, process: Process, site: Site) -> dict[str, str]:
    """What a process needs of the state folder, and the control token and a memory where it has a control listener."""
    belongings = {}
    if process.api_keys:
        belongings["API_KEYS_FILE"] = str(site.state.api_keys_file)
    if process.client_keys:
        belongings["CLIENT_KEYS_FILE"] = str(site.state.client_keys_file)
    if process.logs:
        belongings["LOGS_CONTROL_FILE"] = str(site.state.control_file)
    if process.traces and site.keep_traces:
        belongings["TRACES_FILE"] = str(site.state.traces_file)
    if process.folder:
        belongings["DATA_FOLDER"] = str(site.state.data / process.name)
        belongings["TOPOLOGY_FILE"] = str(site.state.topology_file)
    if process.notifications_token:
        belongings["NOTIFICATIONS_TOKEN_FILE"] = str(site.state.notifications_token_file)
    if any(each.setting == CONTROL_PORT for each in process.listeners):
        belongings["CONTROL_TOKEN"] = site.token
        belongings["POLICIES_FILE"] = str(site.state.policies_file(name))
    return belongings


def _listeners(name: str, process: Process, ports: Ports) -> dict[str, int]:
    return {each.setting: ports[name, each.setting] for each in process.listeners}


def address(host: str, port: int) -> str:
    """`host:port`, an IPv6 host in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _checked(topology: Topology, replicas: Mapping[str, int]) -> Mapping[str, int]:
    found = {each.name: each for each in topology.processes}
    choice = f"processes: {', '.join(name for name, each in found.items() if not each.only_one_as)}"
    for name, number in replicas.items():
        if name not in found:
            raise UsageError(f"replicas: there is no process {name!r}; {choice}")
        if number > 1 and (why := found[name].only_one_as):
            raise UsageError(f"replicas: there can be only one {name}, as {why}; {choice}")
        if not 1 <= number <= MAX_REPLICAS:
            raise UsageError(f"replicas: {name}={number} is not within 1..{MAX_REPLICAS}")
    return replicas


def _checked_databases(topology: Topology, databases: Mapping[str, str]) -> Mapping[str, str]:
    names = [each.name for each in topology.processes if each.database]
    for name in databases:
        if name not in names:
            raise UsageError(f"databases: {name!r} is no process with a database; those are {', '.join(names)}")
    return databases

"""A running system for tests, the demonstration and benchmarks: started, ready, and surely ended."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from deploy.errors import DeployError
from deploy.programs.selection import Selection
from deploy.supervisor import keys, leftovers
from deploy.supervisor.client import SupervisorClient
from deploy.supervisor.keys import ClientKey
from deploy.supervisor.launch import Launched, OnProgress
from deploy.supervisor.request import DEFAULT_TOPOLOGY, Request
from deploy.supervisor.state import StateFolder

_END_PATIENCE_S = 20.0


class System:
    """What `start_system` started; a context manager that ends it. `topology` is the content of topology.json."""

    def __init__(self, state: StateFolder, launched: Launched, supervisor: SupervisorClient) -> None:
        self.state = state
        self.supervisor = supervisor
        self.topology: Mapping[str, Any] = supervisor.topology()
        self.keys: tuple[ClientKey, ...] = keys.read(state)
        self._launched = launched

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def gateway_url(self) -> str:
        """Base address, such as `http://127.0.0.1:20017`."""
        return str(self.topology["gateway_url"])

    @property
    def query_url(self) -> str:
        """Base address of the trace backend's query API and pages."""
        return str(self.topology["query_url"])

    @property
    def supervisor_pid(self) -> int:
        return self._launched.pid

    def url(self, instance: str, listener: str) -> str:
        """Base address of one listener, such as `url("orders-1", "ADMIN_PORT")`. Raises KeyError."""
        found = {each["instance"]: each for each in self.topology["processes"]}[instance]
        return f"http://{found['host']}:{found['listeners'][listener]}"

    def key(self, client_id: str) -> ClientKey:
        """The first key of a client: `demo`, `load`, `chaos`. Raises IndexError."""
        return keys.of_client(self.keys, client_id)[0]

    def kill_supervisor(self) -> None:
        """SIGKILL; its children are on their own."""
        self._launched.kill()

    def stop(self) -> None:
        """Ends everything and returns when it is gone; may be called again."""
        self._launched.stop()
        leftovers.end(self.state, _END_PATIENCE_S)


def start_system(  # noqa: PLR0913 -- each has a default, and is named by who calls
    state: Path,
    free_ports: bool = True,
    *,
    topology: str = DEFAULT_TOPOLOGY,
    replicas: Mapping[str, int] | None = None,
    ready_deadline_s: float = 60.0,
    databases: Mapping[str, str] | None = None,
    load_rps: float | None = None,
    programs: Sequence[str] = (),
    on_progress: OnProgress = lambda _: None,
) -> System:
    """Starts a system and returns when it is ready. It ends when this process does, however that comes.

    `databases`: service → SQLAlchemy URL; one that is not named keeps an SQLite file in the state folder.
    `programs` are those that are not ours, such as `jaeger`, and are to take part; by default none does.
    Raises DeployError, with the supervisor's own words, when it does not start; then nothing of it is left.
    """
    request = Request(
        state,
        free_ports,
        topology,
        replicas or {},
        ready_deadline_s,
        databases or {},
        load_rps,
        Selection(tuple(programs)),
    )
    launched = Launched(request, lifeline=True)
    try:
        return System(request.folder, launched, launched.await_ready(on_progress))
    except (DeployError, KeyboardInterrupt):
        launched.stop()
        raise

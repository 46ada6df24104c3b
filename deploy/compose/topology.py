"""The system of `docker-compose.yml` as this machine sees it: the same processes, as far as they are published on loopback."""

from dataclasses import replace
from typing import Any, Final

from deploy.errors import UsageError
from deploy.supervisor.plan import Plan
from deploy.topology import ADMIN_PORT, ALERTS, FAULTLINE, Listener, Process, Topology

HOST: Final = "127.0.0.1"
PROJECT: Final = "faultline"
"""The project's name, unless whoever starts it names another."""
POSTGRES_PORT: Final = 15432
"""Not the usual one, which a PostgreSQL of the machine's own may have."""
PROGRAMS: Final = {
    "query_url": ("Traces", f"http://{HOST}:16686"),
    "prometheus_url": ("Prometheus", f"http://{HOST}:9090"),
    "alertmanager_url": ("Alertmanager", f"http://{HOST}:9093"),
    "grafana_url": ("Grafana", f"http://{HOST}:3000"),
}
"""Key in `topology.json` → label and address of what is not ours."""

_OURS: Final = frozenset({"payments", "inventory", "orders", "gateway", ALERTS})
_GRPC_PORT: Final = "GRPC_PORT"
_LOAD: Final = Process("load", "chaos.load", (Listener(ADMIN_PORT, 9086),))


def _seen_from_outside(process: Process) -> Process:
    return replace(process, listeners=tuple(each for each in process.listeners if each.setting != _GRPC_PORT))


COMPOSE: Final[Topology] = replace(
    FAULTLINE,
    processes=(*(_seen_from_outside(each) for each in FAULTLINE.processes if each.name in _OURS), _LOAD),
    pages=tuple(each for each in FAULTLINE.pages if each.process in _OURS),
)


def address(project: str = PROJECT) -> str:
    """Where whoever kills and pauses finds the processes: there is no supervisor, there is Docker."""
    return f"docker://{project}"


def document(project: str = PROJECT) -> dict[str, Any]:
    """The content of `topology.json`: every address and edge, no secret."""
    plan = Plan(COMPOSE)
    found = plan.describe(plan.fixed_ports(_no_free_ports), HOST, address(project))
    pages = [{"label": label, "url": url} for label, url in PROGRAMS.values()]
    return {**found, **{key: url for key, (_, url) in PROGRAMS.items()}, "pages": [*found["pages"], *pages]}


def databases() -> list[str]:
    """The services that keep their data in PostgreSQL, in a database of their own name."""
    return [each.name for each in COMPOSE.processes if each.database]


def _no_free_ports() -> int:
    raise UsageError("a container's ports are published as they are: there are no replicas")

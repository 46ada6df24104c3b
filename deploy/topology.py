"""What the system consists of, as data: its processes, what each listens on and calls, and the pages it shows.

Nothing here runs anything. A process gets its addresses from the environment (settings), so that another topology,
such as one for tests or with a service of your own, is another value of `Topology`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

Kind = Literal["rest", "grpc", "sql", "event"]

ADMIN_PORT: Final = "ADMIN_PORT"
CONTROL_PORT: Final = "CONTROL_PORT"


@dataclass(frozen=True)
class Edge:
    """Who calls whom over what. The callee of a `sql` edge is `<service>-db`."""

    caller: str
    callee: str
    kind: Kind


@dataclass(frozen=True)
class Listener:
    """A port of a process: the setting that chooses it, and the port it has in `faultline up`."""

    setting: str
    port: int


@dataclass(frozen=True)
class Targets:
    """A setting that holds the addresses of a peer's replicas, separated by commas; `scheme` such as `http://`."""

    setting: str
    peer: str
    listener: str
    scheme: str = ""


@dataclass(frozen=True)
class Readiness:
    """Where a process says whether it is ready: `GET path` is answered with 200 when it is."""

    listener: str = ADMIN_PORT
    path: str = "/readyz"


ADMIN: Final = Readiness()
"""Of our own processes."""


@dataclass(frozen=True)
class Process:
    """One kind of process, started as `python -m MODULE`.

    Ours have an `ADMIN_PORT` that answers `/readyz`. `database` gives it `DATABASE_URL`, a SQLite file of its
    own in the state folder where the run names no other; `api_keys` gives it `API_KEYS_FILE`, the keys' hashes,
    `client_keys` gives it `CLIENT_KEYS_FILE`, the keys themselves; `logs` gives it `LOGS_CONTROL_FILE`, with which it asks
    the supervisor for everybody's log lines; `traces` gives it `TRACES_FILE` where traces are to be kept;
    `notifications_token` gives it `NOTIFICATIONS_TOKEN_FILE`, what a sender of notifications must know; `watches` gives it
    `SCRAPE_TARGETS`, the admin listeners of all; `settings` are further ones, handed on as they are. `folder` gives it
    `DATA_FOLDER`, a folder of its own, and `TOPOLOGY_FILE`, where everything is.
    `only_one_as` says why there can be no replicas, where that is so. The system is ready without an `optional` one
    that does not start.
    """

    name: str
    module: str
    listeners: tuple[Listener, ...]
    targets: tuple[Targets, ...] = ()
    database: bool = False
    api_keys: bool = False
    client_keys: bool = False
    logs: bool = False
    traces: bool = False
    notifications_token: bool = False
    watches: bool = False
    only_one_as: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    readiness: Readiness = ADMIN
    folder: bool = False
    optional: bool = False

    def __post_init__(self) -> None:
        if not any(each.setting == self.readiness.listener for each in self.listeners):
            raise ValueError(f"{self.name}: no {self.readiness.listener}, so nobody can tell when it is ready")


@dataclass(frozen=True)
class Page:
    """An address worth showing: `label` for people, `key` in `topology.json`."""

    key: str
    label: str
    process: str
    listener: str
    path: str = ""


@dataclass(frozen=True)
class Program:
    """A program that is not ours: its `file` where it takes part; else `instead`, what serves in its place, and why."""

    name: str
    file: str = ""
    instead: str = ""


@dataclass(frozen=True)
class Topology:
    """A whole system. `processes` are in the order of dependence: callees first; drained in reverse.

    `programs` are those that were looked for.
    """

    processes: tuple[Process, ...]
    edges: tuple[Edge, ...] = ()
    pages: tuple[Page, ...] = ()
    programs: tuple[Program, ...] = ()
    control_port: int = 8900

    def process(self, name: str) -> Process:
        """The process of that name. Raises KeyError."""
        return {each.name: each for each in self.processes}[name]


BACKEND: Final = "faultline-backend"
ALERTS: Final = "faultline-alerts"

EDGES: Final = (
    Edge("gateway", "orders", "rest"),
    Edge("gateway", "inventory", "grpc"),
    Edge("orders", "inventory", "grpc"),
    Edge("orders", "payments", "grpc"),
    Edge("orders", "orders-db", "sql"),
    Edge("inventory", "inventory-db", "sql"),
    Edge("payments", "payments-db", "sql"),
)

_SPANS_TO_BACKEND: Final = Targets("OTEL_EXPORTER_OTLP_ENDPOINT", BACKEND, "OTLP_GRPC_PORT", "http://")
_INVENTORY: Final = Targets("INVENTORY_TARGETS", "inventory", "GRPC_PORT")
_PAYMENTS: Final = Targets("PAYMENTS_TARGETS", "payments", "GRPC_PORT")
_ORDERS: Final = Targets("ORDERS_TARGETS", "orders", "HTTP_PORT", "http://")

# A system on one's own machine is there to be hurt; elsewhere a service takes no faults unless it is told to.
_HURTABLE: Final = {"FAULT_INJECTION_ENABLED": "true"}

FAULTLINE: Final = Topology(
    processes=(
        Process(
            BACKEND,
            "observability.embedded",
            (
                Listener("QUERY_PORT", 16686),
                Listener("OTLP_GRPC_PORT", 4317),
                Listener("OTLP_HTTP_PORT", 4318),
                Listener(ADMIN_PORT, 9084),
            ),
            logs=True,
            traces=True,
            only_one_as="it keeps the traces in its own memory",
        ),
        Process(
            "payments",
            "services.payments",
            (Listener("GRPC_PORT", 50052), Listener(ADMIN_PORT, 9083), Listener(CONTROL_PORT, 9183)),
            (_SPANS_TO_BACKEND,),
            database=True,
            settings=_HURTABLE,
        ),
        Process(
            "inventory",
            "services.inventory",
            (Listener("GRPC_PORT", 50051), Listener(ADMIN_PORT, 9082), Listener(CONTROL_PORT, 9182)),
            (_SPANS_TO_BACKEND,),
            database=True,
            settings=_HURTABLE,
        ),
        Process(
            "orders",
            "services.orders",
            (Listener("HTTP_PORT", 8081), Listener(ADMIN_PORT, 9081), Listener(CONTROL_PORT, 9181)),
            (_SPANS_TO_BACKEND, _INVENTORY, _PAYMENTS),
            database=True,
            settings=_HURTABLE,
        ),
        Process(
            "gateway",
            "services.gateway",
            (Listener("HTTP_PORT", 8080), Listener(ADMIN_PORT, 9080), Listener(CONTROL_PORT, 9180)),
            (_SPANS_TO_BACKEND, _ORDERS, _INVENTORY),
            api_keys=True,
            settings=_HURTABLE,
        ),
        Process(
            ALERTS,
            "observability.alerting",
            (Listener("HTTP_PORT", 8902), Listener(ADMIN_PORT, 9085)),
            notifications_token=True,
            watches=True,
            only_one_as="it keeps what it watches in its own memory",
            settings={"ALERTS_PROFILE": "demo"},
        ),
    ),
    edges=EDGES,
    pages=(
        Page("gateway_url", "Gateway", "gateway", "HTTP_PORT"),
        Page("docs_url", "API docs", "gateway", "HTTP_PORT", "/api/v1/docs"),
        Page("query_url", "Traces", BACKEND, "QUERY_PORT"),
        Page("alerts_url", "Alerts", ALERTS, "HTTP_PORT", "/api/alerts"),
        Page("metrics_url", "Metrics", "gateway", ADMIN_PORT, "/metrics"),
    ),
)

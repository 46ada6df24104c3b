"""The composition root of orders: the only place where its concrete parts are chosen."""

import time
import uuid

from fastapi import FastAPI
from starlette.middleware import Middleware

from observability.telemetry import Telemetry
from services.chassis.admission import AdmissionControl
from services.chassis.calls import CallSeam
from services.chassis.database import Database
from services.chassis.edge import Edge, Kind
from services.chassis.faults.site import FaultSite
from services.chassis.http import app
from services.chassis.http.middleware import DeadlineGate, declare_routes
from services.chassis.http.server import HttpServer
from services.chassis.http.shedding import LoadShedding
from services.chassis.resilience.comeback import Comeback
from services.chassis.resilience.load_shedding import LoadSheddingConfig
from services.chassis.rpc.client import RpcClient
from services.chassis.service import Service
from services.chassis.settings import ServerSpanWriter
from services.contracts.errors import CATALOGUE
from services.orders import inventory_client, payments_client, use_cases
from services.orders.checkout_telemetry import CheckoutTelemetry
from services.orders.http_api import v1
from services.orders.inventory_client import InventoryClient
from services.orders.payments_client import PaymentsClient
from services.orders.policies import POLICIES
from services.orders.ports import Dependencies
from services.orders.recovery import Recovery
from services.orders.repository import SqlOrderStore, metadata
from services.orders.settings import OrdersSettings

NAME = "orders"


def bootstrap(settings: OrdersSettings, telemetry: Telemetry) -> Service:
    """Puts the service together; nothing is started yet."""

    def seam(callee: str, kind: Kind, operations: tuple[str, ...]) -> CallSeam:
        made = CallSeam(Edge(NAME, callee, kind), POLICIES[callee], telemetry, CATALOGUE, settings.policy_preset)
        made.declare(*operations)
        return made

    to_database = seam("orders-db", "sql", use_cases.OPERATIONS)
    to_inventory = seam("inventory", "grpc", inventory_client.OPERATIONS)
    to_payments = seam("payments", "grpc", payments_client.OPERATIONS)
    faults = FaultSite(NAME, telemetry, CATALOGUE, enabled=settings.fault_injection_enabled)
    storage_faults = faults.storage(to_database.edge.callee, use_cases.OPERATIONS)
    options = settings.database_options
    database = Database(settings.database_url, metadata, to_database, telemetry, storage_faults, options)
    inventory = RpcClient(inventory_client.SERVICE, settings.inventory_targets, to_inventory, telemetry)
    payments = RpcClient(payments_client.SERVICE, settings.payments_targets, to_payments, telemetry)
    deps = Dependencies(
        store=SqlOrderStore(database),
        inventory=InventoryClient(inventory),
        payments=PaymentsClient(payments),
        listener=CheckoutTelemetry(telemetry.metrics),
        clock=lambda: time.time_ns() // 1000,
        new_id=lambda: f"ord_{uuid.uuid4().hex}",
        rules=settings.rules,
    )
    comebacks = [Comeback(each.breaker) for each in (to_inventory, to_payments)]
    recovery = Recovery(deps, telemetry, settings.recovery_interval_s, settings.recovery_concurrency, comebacks)
    public = create_app(deps, telemetry, settings.load_shedding, faults, settings.http_server_spans)
    server = HttpServer("http server", public, settings.bind_host, settings.http_port, telemetry=telemetry)
    return Service(
        [database, inventory, payments, recovery, server],
        checks={"database": database.check, "listener": server.check},
        peers={"inventory": inventory.check, "payments": payments.check},
        seams=[to_database, to_inventory, to_payments],
        faults=faults,
    )


def create_app(
    deps: Dependencies,
    telemetry: Telemetry,
    shedding: LoadSheddingConfig,
    faults: FaultSite | None = None,
    spans: ServerSpanWriter = "stock",
) -> FastAPI:
    """The application over `deps`. Its callers are inside, so that their deadlines are trusted."""
    admission = AdmissionControl(shedding, telemetry)
    steps = [Middleware(DeadlineGate, cap=None), Middleware(LoadShedding, admission=admission)]
    if faults:
        steps.append(faults.http())
    made = app.create(telemetry, CATALOGUE, steps, spans=spans, title="Orders", openapi_url=None)
    made.include_router(v1.create_router(deps))
    declare_routes(made, telemetry)
    if faults:
        faults.serves(made)
    return made

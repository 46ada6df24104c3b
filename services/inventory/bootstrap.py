"""The inventory's composition root: the only place where its concrete parts are chosen."""

import time

from observability.telemetry import Telemetry
from services.chassis.admission import AdmissionControl
from services.chassis.calls import CallSeam
from services.chassis.database import Database
from services.chassis.edge import Edge
from services.chassis.faults.site import FaultSite
from services.chassis.rpc.interceptor import ServerInterceptor
from services.chassis.rpc.server import GrpcServer
from services.chassis.service import Service
from services.contracts.errors import CATALOGUE
from services.inventory import catalogue, grpc_api
from services.inventory.expiry import Expiry
from services.inventory.policies import POLICIES
from services.inventory.ports import Dependencies
from services.inventory.repository import SqlStockStore, metadata
from services.inventory.seed import Seed
from services.inventory.settings import InventorySettings
from services.inventory.use_cases import OPERATIONS

NAME = "inventory"


def bootstrap(settings: InventorySettings, telemetry: Telemetry) -> Service:
    """Puts the service together; nothing is started yet."""
    edge = Edge(NAME, "inventory-db", "sql")
    seam = CallSeam(edge, POLICIES[edge.callee], telemetry, CATALOGUE, settings.policy_preset)
    seam.declare(*OPERATIONS)
    faults = FaultSite(NAME, telemetry, CATALOGUE, enabled=settings.fault_injection_enabled)
    storage_faults = faults.storage(seam.edge.callee, OPERATIONS)
    options = settings.database_options
    database = Database(settings.database_url, metadata, seam, telemetry, storage_faults, options)
    hold_for_us = int(settings.reservation_ttl_s * 1_000_000)
    deps = Dependencies(SqlStockStore(database), lambda: time.time_ns() // 1000, hold_for_us)
    seed = Seed(deps, catalogue.products(settings.catalogue_stock))
    admission = AdmissionControl(settings.load_shedding, telemetry)
    interceptor = ServerInterceptor(telemetry, CATALOGUE, faults.grpc(grpc_api.SERVICE), admission)
    servicers, checks = {grpc_api.SERVICE: grpc_api.adder(deps)}, {"database": database.check}
    server = GrpcServer(servicers, interceptor, settings.bind_host, settings.grpc_port, checks)
    expiry = Expiry(deps, telemetry, settings.expiry_interval_s, settings.expiry_grace_s)
    return Service([database, seed, expiry, server], checks=checks, seams=[seam], faults=faults)

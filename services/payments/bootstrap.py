"""The composition root of payments: the only place where its concrete parts are chosen."""

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
from services.payments import grpc_api
from services.payments.policies import POLICIES
from services.payments.ports import Dependencies
from services.payments.provider import SimulatedProvider
from services.payments.repository import SqlPaymentStore, metadata
from services.payments.settings import PaymentsSettings
from services.payments.use_cases import OPERATIONS

NAME = "payments"


def bootstrap(settings: PaymentsSettings, telemetry: Telemetry) -> Service:
    """Puts the service together; nothing is started yet."""
    edge = Edge(NAME, "payments-db", "sql")
    seam = CallSeam(edge, POLICIES[edge.callee], telemetry, CATALOGUE, settings.policy_preset)
    seam.declare(*OPERATIONS)
    faults = FaultSite(NAME, telemetry, CATALOGUE, enabled=settings.fault_injection_enabled)
    storage_faults = faults.storage(seam.edge.callee, OPERATIONS)
    options = settings.database_options
    database = Database(settings.database_url, metadata, seam, telemetry, storage_faults, options)
    latency = settings.provider_latency_ms / 1000
    provider = SimulatedProvider(settings.provider_concurrency, latency, telemetry.tracer)
    deps = Dependencies(SqlPaymentStore(database), provider, lambda: time.time_ns() // 1000)
    admission = AdmissionControl(settings.load_shedding, telemetry)
    interceptor = ServerInterceptor(telemetry, CATALOGUE, faults.grpc(grpc_api.SERVICE), admission)
    servicers, checks = {grpc_api.SERVICE: grpc_api.adder(deps)}, {"database": database.check}
    server = GrpcServer(servicers, interceptor, settings.bind_host, settings.grpc_port, checks)
    return Service([database, server], checks=checks, seams=[seam], faults=faults)

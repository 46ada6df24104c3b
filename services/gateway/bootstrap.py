"""The gateway's composition root: the only place where its concrete parts are chosen."""

import time

from fastapi import FastAPI

from observability.telemetry import Telemetry
from services.chassis.admission import AdmissionControl
from services.chassis.calls import CallSeam
from services.chassis.edge import Edge, Kind
from services.chassis.faults.site import FaultSite
from services.chassis.http import app, middleware
from services.chassis.http.client import HttpClient
from services.chassis.http.server import HttpServer
from services.chassis.rpc.client import RpcClient
from services.chassis.service import Service
from services.contracts.errors import CATALOGUE
from services.contracts.pages import Page
from services.gateway import api_keys, inventory_client, orders_client, pipeline
from services.gateway.api_keys import ApiKeyAuthenticator
from services.gateway.domain import Product
from services.gateway.http_api import openapi, pages, v1
from services.gateway.inventory_client import InventoryClient
from services.gateway.orders_client import OrdersClient
from services.gateway.pipeline import BodyRules
from services.gateway.policies import policies
from services.gateway.ports import Authenticator, Dependencies
from services.gateway.product_cache import MemoryProductCache
from services.gateway.settings import GatewaySettings

NAME = "gateway"

CACHED_PAGES, CACHED_PRODUCTS = 500, 5_000
CACHE_MAX_AGE_S = 3_600.0


def bootstrap(settings: GatewaySettings, telemetry: Telemetry) -> Service:
    """Puts the service together; nothing is started yet."""
    declared = policies(settings.request_timeout_ms / 1000)

    def seam(callee: str, kind: Kind, operations: tuple[str, ...]) -> CallSeam:
        made = CallSeam(Edge(NAME, callee, kind), declared[callee], telemetry, CATALOGUE, settings.policy_preset)
        made.declare(*operations)
        return made

    to_orders = seam("orders", "rest", orders_client.OPERATIONS)
    to_inventory = seam("inventory", "grpc", inventory_client.OPERATIONS)
    orders = HttpClient(settings.orders_targets, to_orders, telemetry)
    inventory = RpcClient(inventory_client.SERVICE, settings.inventory_targets, to_inventory, telemetry)
    pages = MemoryProductCache[Page[Product]](CACHED_PAGES, CACHE_MAX_AGE_S, time.monotonic)
    products = MemoryProductCache[Product](CACHED_PRODUCTS, CACHE_MAX_AGE_S, time.monotonic)
    deps = Dependencies(InventoryClient(inventory, pages, products), OrdersClient(orders, to_orders.edge))
    keys = ApiKeyAuthenticator(api_keys.read(settings.api_keys_file))
    faults = FaultSite(NAME, telemetry, CATALOGUE, enabled=settings.fault_injection_enabled)
    public = pipeline.outside(create_app(deps, telemetry, keys, settings, faults), keys, telemetry.metrics)
    server = HttpServer(
        "http server", public, settings.bind_host, settings.http_port, limits=settings.limits, telemetry=telemetry
    )
    return Service(
        [orders, inventory, server],
        # Its own parts alone. Were a peer's absence its own, a load balancer would take every gateway out at once, and
        # what works without that peer, such as the catalogue without orders, would be gone too; nor would anybody be
        # told why. A peer that is away is answered per request, and told here for those who look.
        # https://aws.amazon.com/builders-library/implementing-health-checks/
        checks={"listener": server.check, "keys": keys.check},
        peers={"orders": orders.check, "inventory": inventory.check},
        seams=[to_orders, to_inventory],
        faults=faults,
    )


def create_app(
    deps: Dependencies,
    telemetry: Telemetry,
    authenticator: Authenticator,
    settings: GatewaySettings,
    faults: FaultSite | None = None,
) -> FastAPI:
    """The application over `deps`."""
    body = BodyRules(settings.max_body_bytes, settings.body_timeout_s)
    admission = AdmissionControl(settings.load_shedding, telemetry)
    steps = pipeline.steps(authenticator, body, settings.request_timeout_ms / 1000, admission)
    made = app.create(
        telemetry,
        CATALOGUE,
        [*steps, *([faults.http()] if faults else [])],
        spans=settings.http_server_spans,
        title="Faultline",
        version="1",
        description="A shop: browse its catalogue, place orders, look at your own.",
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    made.include_router(v1.create_router(deps))
    pages.add_pages(made)
    openapi.describe(made)
    middleware.declare_routes(made, telemetry)
    if faults:
        faults.serves(made)
    return made

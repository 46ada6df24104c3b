"""Who writes the spans of HTTP requests is a setting of each service that serves them."""

from collections.abc import Callable

import pytest
from fastapi import FastAPI

from observability.telemetry import Telemetry
from services.chassis.http.server_span import ServerSpans
from services.chassis.settings import ServerSpanWriter
from services.gateway import bootstrap as gateway
from services.gateway.api_keys import ApiKeyAuthenticator
from services.gateway.ports import Dependencies
from services.gateway.settings import GatewaySettings
from services.orders import bootstrap as orders
from tests.fakes.public import MemoryCatalogue, MemoryPublicOrders
from tests.fakes.shop import shop
from tests.unit.chassis.recording import recording


def gateway_app(telemetry: Telemetry, spans: ServerSpanWriter) -> FastAPI:
    it = shop()
    deps = Dependencies(MemoryCatalogue(it.inventory_peer.deps), MemoryPublicOrders(it.deps))
    settings = GatewaySettings.model_construct(http_server_spans=spans)
    return gateway.create_app(deps, telemetry, ApiKeyAuthenticator([]), settings)


def orders_app(telemetry: Telemetry, spans: ServerSpanWriter) -> FastAPI:
    settings = GatewaySettings.model_construct()
    return orders.create_app(shop().deps, telemetry, settings.load_shedding, spans=spans)


@pytest.mark.parametrize("app", [gateway_app, orders_app])
@pytest.mark.parametrize("spans", ["stock", "lean"])
def test_just_one_writes_them(app: Callable[[Telemetry, ServerSpanWriter], FastAPI], spans: ServerSpanWriter) -> None:
    with recording() as kept:
        made = app(kept.telemetry, spans)
    outermost: object = made.user_middleware[0].cls
    assert (outermost is ServerSpans) == (spans == "lean")
    assert getattr(made, "_is_instrumented_by_opentelemetry", False) == (spans == "stock")

"""The handler, and what of telemetry is around it."""

import time
from collections.abc import Mapping
from enum import StrEnum
from typing import Final, Literal

from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families
from starlette.middleware import Middleware

from deploy.bench.hop.profile import Profile
from observability import semconv
from observability.telemetry import Telemetry
from services.chassis.http.app import NO_OTHER_TELEMETRY, trace_by_stock
from services.chassis.http.middleware import ServerMetrics
from services.chassis.http.server_span import ServerSpans

ORDER: Final = "/api/v1/orders/ord_1"
SPENT: Final = "/spent"
SPANS: Final = "/spans"
PROFILE: Final = "/profile/{state}"
"""`start` or `stop`, which answers whose work took which share."""


class Variant(StrEnum):
    """What observes the handler."""

    BARE = "bare"  # nothing
    METERED = "metered"  # our metrics
    TRACED = "traced"  # OpenTelemetry's instrumentation of FastAPI
    BOTH = "both"  # these two, as the services come
    LEAN = "lean"  # our metrics and our own spans


_METERED: Final = {Variant.METERED, Variant.BOTH, Variant.LEAN}
_TRACED_BY_STOCK: Final = {Variant.TRACED, Variant.BOTH}


def create(variant: Variant, telemetry: Telemetry) -> FastAPI:
    """An application that serves `ORDER`; `SPENT` and `SPANS` tell what that costs it."""
    steps = [Middleware(ServerSpans, telemetry=telemetry)] if variant is Variant.LEAN else []
    if variant in _METERED:
        steps.append(Middleware(ServerMetrics, telemetry=telemetry))
    app = FastAPI(middleware=steps, telemetry=NO_OTHER_TELEMETRY)

    @app.get("/api/v1/orders/{order_id}")
    async def get_order(order_id: str) -> dict[str, str]:
        return {"order_id": order_id, "state": "confirmed"}

    @app.get(SPENT)
    async def get_spent() -> dict[str, float]:
        return {"process_s": time.process_time(), "thread_s": time.thread_time()}

    profile = Profile()

    @app.get(PROFILE)
    async def get_profile(state: Literal["start", "stop"]) -> Mapping[str, float]:
        if state == "stop":
            return profile.stop()
        profile.start()
        return {}

    @app.get(SPANS)
    async def get_spans() -> dict[str, float]:
        return _spans(telemetry)

    if variant in _TRACED_BY_STOCK:
        trace_by_stock(app, telemetry)
    return app


def _spans(telemetry: Telemetry) -> dict[str, float]:
    """How many spans were exported, failed and dropped."""
    body, _ = telemetry.metrics.exposition()
    samples = [sample for family in text_string_to_metric_families(body.decode()) for sample in family.samples]
    label = semconv.prometheus_label(semconv.TELEMETRY_RESULT)
    name = semconv.TELEMETRY_SPANS.prometheus_name
    return {sample.labels[label]: sample.value for sample in samples if sample.name == name}

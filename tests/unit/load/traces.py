"""A checkout's trace in Jaeger's JSON, as the query API gives it."""

from typing import Any

SPANS: tuple[tuple[str, str, int, int, int], ...] = (
    # service, operation, depth, start in us, duration in us
    ("gateway", "POST /api/v1/orders", 0, 0, 42_000),
    ("gateway", "orders create_order", 1, 1_200, 39_900),
    ("orders", "POST /v1/orders", 2, 2_000, 38_200),
    ("orders", "save_pending_order", 3, 3_100, 2_900),
    ("orders", "inventory faultline.inventory.v1.Inventory/Reserve", 3, 6_400, 6_100),
    ("inventory", "faultline.inventory.v1.Inventory/Reserve", 4, 7_000, 5_000),
    ("inventory", "reserve", 5, 7_500, 4_000),
    ("orders", "save_step", 3, 12_600, 1_500),
    ("orders", "payments faultline.payments.v1.Payments/Authorize", 3, 14_200, 22_000),
    ("payments", "faultline.payments.v1.Payments/Authorize", 4, 15_000, 21_000),
    ("payments", "record_payment", 5, 35_000, 900),
    ("orders", "save_step", 3, 36_500, 1_500),
)


def checkout_trace(
    trace_id: str, services: tuple[str, ...] = ("gateway", "orders", "inventory", "payments")
) -> dict[str, Any]:
    parents: list[str] = []
    spans = []
    for number, (service, operation, depth, start, duration) in enumerate(SPANS, start=1):
        del parents[depth:]
        if service in services:
            spans.append(_span(trace_id, number, parents, (service, operation, start, duration)))
        parents.append(f"{number:016x}")
    processes = {service: {"serviceName": service, "tags": []} for service in services}
    return {"traceID": trace_id, "spans": spans, "processes": processes, "warnings": None}


def _span(trace_id: str, number: int, parents: list[str], told: tuple[str, str, int, int]) -> dict[str, Any]:
    service, operation, start, duration = told
    references = [{"refType": "CHILD_OF", "traceID": trace_id, "spanID": parents[-1]}] if parents else []
    return {
        "traceID": trace_id,
        "spanID": f"{number:016x}",
        "operationName": operation,
        "references": references,
        "startTime": 1_700_000_000_000_000 + start,
        "duration": duration,
        "tags": [],
        "logs": [],
        "processID": service,
        "warnings": None,
    }

"""A trace backend with traces that have everything that the pages can show."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.unit.embedded.running import Backend, running, send
from tests.unit.embedded.spans import Made, trace_id

MARKUP = "<img src=x onerror=alert(1)>"
SERVER, CLIENT, INTERNAL = 2, 3, 1
FAULT = ("faultline.fault.injected", {"faultline.fault.kind": "error", "faultline.fault.id": "f-1"})
FINE, RETRIED, FAILED, MARKED, LONG = (trace_id(number).hex()[16:] for number in (1, 2, 3, 4, 5))
# Without a place where a line may end; the longest that a label of Kubernetes' and most people's patience allow.
LONG_SERVICE, LONG_CALLEE, LONG_OPERATION = "caller" + "r" * 57, "callee" + "e" * 57, "operation" + "n" * 111
LONG_ERROR = "why" + "y" * 197


@contextmanager
def filled() -> Iterator[Backend]:
    """With checkouts that went well, was retried and failed, and with names that are markup, and that are long."""
    with running() as backend:
        for spans in (
            checkout(1, []),
            checkout(2, ["refused"]),
            checkout(3, ["refused", "refused", "refused"]),
            marked(),
            long(),
        ):
            send(backend, *spans)
        yield backend


def checkout(trace: int, failures: list[str]) -> Iterator[Made]:
    """Through four services; paying fails as often as there are `failures`, and is tried three times at most."""
    begun = trace * 1_000
    root, placed, call = (bytes([trace, kind]) * 4 for kind in (1, 2, 3))
    paid = len(failures) < 3
    tries = [*failures, ""] if paid else failures
    lasted = 20 * len(tries) + 20

    def made(service: str, name: str, start: int, took: int, **fields: object) -> Made:
        return Made(trace=trace, service=service, name=name, start_ms=begun + start, duration_ms=took, **fields)  # type: ignore[arg-type]  # its own fields

    status = {"http.response.status_code": 201 if paid else 503}
    yield made("gateway", "POST /api/v1/orders", 0, lasted + 12, span_id=root, tags=status, failed=not paid)
    yield made(
        "orders",
        "POST /v1/orders",
        2,
        lasted + 8,
        parent=root,
        span_id=placed,
        failed=not paid,
        message="" if paid else "payments is away",
    )
    yield made("inventory", "faultline.inventory.v1.Inventory/Reserve", 4, 10, parent=placed, tags={"order.id": "o-1"})
    events = [("faultline.retry", {"faultline.attempt": number}) for number in range(1, len(tries))]
    yield made(
        "orders",
        "payments Authorize",
        15,
        lasted - 10,
        parent=placed,
        span_id=call,
        kind=INTERNAL,
        failed=not paid,
        events=events,
    )
    for number, why in enumerate(tries, 1):
        start, tags = 15 + 20 * (number - 1), {"faultline.attempt": number}
        attempt = bytes([trace, 10 + number]) * 4
        fields = {"kind": CLIENT, "parent": call, "span_id": attempt, "tags": tags, "failed": bool(why), "message": why}
        yield made("orders", "faultline.payments.v1.Payments/Authorize", start, 12, **fields)
        if why:
            yield made(
                "payments",
                "faultline.payments.v1.Payments/Authorize",
                start + 1,
                9,
                parent=attempt,
                failed=True,
                events=[FAULT],
            )


def marked() -> Iterator[Made]:
    tags, event = {MARKUP: MARKUP}, (MARKUP, {MARKUP: MARKUP})
    yield Made(
        trace=4, service=MARKUP, name=MARKUP, start_ms=4_000, failed=True, message=MARKUP, tags=tags, events=[event]
    )


def long() -> Iterator[Made]:
    """One calls another, which fails and is tried again; whatever has a name has a long one."""
    calling, call = (bytes([5, kind]) * 4 for kind in (1, 2))
    told = {LONG_SERVICE: LONG_ERROR}
    events = [(LONG_OPERATION, told), ("faultline.fault.injected", {"faultline.fault.kind": LONG_SERVICE})]

    def made(service: str, start: int, took: int, **fields: object) -> Made:
        fields = {"failed": True, "message": LONG_ERROR, "tags": told, "events": events, **fields}
        return Made(trace=5, service=service, name=LONG_OPERATION, start_ms=5_000 + start, duration_ms=took, **fields)  # type: ignore[arg-type]  # its own fields

    yield made(LONG_SERVICE, 0, 90, span_id=calling)
    yield made(LONG_SERVICE, 5, 80, kind=INTERNAL, parent=calling, span_id=call)
    for number in (1, 2):
        start, attempt = 40 * number - 30, bytes([5, 10 + number]) * 4
        tags = {**told, "faultline.attempt": number}
        yield made(LONG_SERVICE, start, 30, kind=CLIENT, parent=call, span_id=attempt, tags=tags)
        yield made(LONG_CALLEE, start + 2, 20, parent=attempt)

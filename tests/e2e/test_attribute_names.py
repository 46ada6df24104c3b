"""Whatever attribute is seen on a span, an event or a resource, it has a name of the semantic conventions or one of ours."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.e2e.conventions import attribute_names
from tests.e2e.http_api import Api, an_order
from tests.e2e.running import SERVICES
from tests.e2e.traces import Traces

OURS = "faultline."
MADE_BY_JAEGER = {
    "error": "a status that is an error",
    "event": "an event's name",
    "span.kind": "a span's kind",
    "otel.status_code": "a span's status",
}
"""Tags that are no attributes: the query API makes them of what OTLP keeps in fields of its own."""


@pytest.fixture(scope="module")
def seen(api: Api, traces: Traces) -> set[str]:
    """The names on all that every service wrote, of requests that went well, were declined and were refused."""
    answers = {
        201: api.check_out(),
        200: api.get("/api/v1/products?limit=5"),
        404: api.get("/api/v1/products/none"),
        422: api.get("/api/v1/products?limit=none"),
    }
    for status, answer in answers.items():
        assert answer.status == status, answer.body
    traces.whole(answers[201].trace_id, *SERVICES)
    for status in (200, 404):
        traces.whole(answers[status].trace_id, "gateway", "inventory")
    traces.whole(answers[422].trace_id, "gateway")
    traces.whole(api.check_out(an_order(payment_method="pm_card_declined")).trace_id, *SERVICES)
    found = [trace for service in SERVICES for trace in json.loads(traces.raw(service, limit=100))["data"]]
    return {tag["key"] for trace in found for tag in _tags(trace)}


def _tags(trace: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for process in trace["processes"].values():
        yield from process["tags"]
    for span in trace["spans"]:
        yield from span["tags"]
        for log in span["logs"]:
            yield from log["fields"]


def test_every_attribute_has_a_name_of_the_conventions_or_of_ours(seen: set[str]) -> None:
    known = attribute_names() | MADE_BY_JAEGER.keys()
    assert not {name for name in seen if name not in known and not name.startswith(OURS)}


def test_names_of_both_are_seen(seen: set[str]) -> None:
    assert seen >= {"http.route", "rpc.method", "db.query.text", "service.version", f"{OURS}attempt", "span.kind"}


def test_deprecated_names_would_be_found() -> None:
    known = attribute_names()
    assert {"http.route", "rpc.method", "db.query.text", "exception.type", "service.instance.id"} <= known
    assert not {"http.method", "rpc.grpc.status_code", "net.peer.name", "db.statement"} & known

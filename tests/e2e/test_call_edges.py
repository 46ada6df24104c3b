"""The picture of the system is data, and every arrow of it is seen in a real trace."""

import pytest

from deploy.topology import EDGES, Edge
from observability import semconv
from tests.e2e.http_api import Api
from tests.e2e.running import SERVICES
from tests.e2e.traces import Span, Trace, Traces


@pytest.fixture(scope="module")
def checkout_trace(api: Api, traces: Traces) -> Trace:
    answer = api.check_out()
    assert answer.status == 201, answer.body
    return traces.whole(answer.trace_id, *SERVICES)


@pytest.fixture(scope="module")
def browsing_trace(api: Api, traces: Traces) -> Trace:
    answer = api.get("/api/v1/products?limit=5")
    assert answer.status == 200, answer.body
    return traces.whole(answer.trace_id, "gateway", "inventory")


def test_a_checkout_is_one_trace_through_four_processes(checkout_trace: Trace) -> None:
    (root,) = checkout_trace.roots
    assert (root.service, root.kind) == ("gateway", "server")
    assert checkout_trace.services == set(SERVICES)


@pytest.mark.parametrize("edge", EDGES, ids=lambda edge: f"{edge.caller}-{edge.callee}-{edge.kind}")
def test_the_edge_is_in_a_real_trace(edge: Edge, checkout_trace: Trace, browsing_trace: Trace) -> None:
    seen = {"rest": _calls_over_http, "grpc": _calls_over_grpc, "sql": _queries}[edge.kind]
    assert seen(checkout_trace, edge) or seen(browsing_trace, edge)


def test_no_call_goes_where_no_edge_is(checkout_trace: Trace, browsing_trace: Trace) -> None:
    known = {(edge.caller, edge.callee) for edge in EDGES}
    for trace in (checkout_trace, browsing_trace):
        for span in trace.spans:
            if span.kind == "server" and span.parent_id:
                assert (trace.parent(span).service, span.service) in known


def test_every_attempt_is_a_client_span_below_its_logical_call(checkout_trace: Trace) -> None:
    attempts = [span for span in checkout_trace.spans if semconv.ATTEMPT in span.tags]
    assert {span.service for span in attempts} >= {"gateway", "orders"}
    for span in attempts:
        assert (span.kind, span.tags[semconv.ATTEMPT]) == ("client", 1)
        call = checkout_trace.parent(span)
        assert call.tags[semconv.CALLEE] == span.tags[semconv.CALLEE]
        assert call.tags[semconv.OUTCOME] == "success"


def test_listing_orders_is_one_trace(api: Api, traces: Traces) -> None:
    answer = api.get("/api/v1/orders")
    assert answer.status == 200, answer.body
    assert traces.whole(answer.trace_id, "gateway", "orders").roots[0].service == "gateway"


def _calls_over_http(trace: Trace, edge: Edge) -> bool:
    return any(semconv.HTTP_REQUEST_METHOD in span.tags for span in _answered_calls(trace, edge))


def _calls_over_grpc(trace: Trace, edge: Edge) -> bool:
    return any(semconv.RPC_METHOD in span.tags for span in _answered_calls(trace, edge))


def _answered_calls(trace: Trace, edge: Edge) -> list[Span]:
    """Client spans of the caller, at the callee, that a server span of the callee hangs on."""
    calls = [span for span in trace.spans if (span.service, span.kind) == (edge.caller, "client")]
    return [
        span
        for span in calls
        if span.tags.get(semconv.CALLEE) == edge.callee
        and any((child.service, child.kind) == (edge.callee, "server") for child in trace.children(span))
    ]


def _queries(trace: Trace, edge: Edge) -> bool:
    """A statement at the service's own database, below the logical call to it."""
    statements = [span for span in trace.spans if span.service == edge.caller and semconv.DB_SYSTEM_NAME in span.tags]
    return any(_below_call_to(trace, span, edge.callee) for span in statements)


def _below_call_to(trace: Trace, span: Span, callee: str) -> bool:
    while span.parent_id:
        span = trace.parent(span)
        if span.tags.get(semconv.CALLEE) == callee:
            return True
    return False

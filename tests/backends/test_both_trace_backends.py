"""What end-to-end tests see of traces, seen in the embedded backend and in the real Jaeger, which both get every span.

The tests are those of `tests/e2e`, word for word; only where they look is decided here.
"""

import copy
from collections.abc import Iterator

import pytest

from deploy.system import System, start_system
from observability import semconv
from tests.backends.programs import READY_WITHIN_S, need
from tests.e2e.http_api import Api
from tests.e2e.policies import switch
from tests.e2e.running import SERVICES, shopper
from tests.e2e.test_call_edges import (
    browsing_trace,
    test_a_checkout_is_one_trace_through_four_processes,
    test_every_attempt_is_a_client_span_below_its_logical_call,
    test_listing_orders_is_one_trace,
    test_no_call_goes_where_no_edge_is,
    test_the_edge_is_in_a_real_trace,
)
from tests.e2e.test_faults import (
    confirmed,
    faults,
    test_a_latency_slows_checkouts_and_trace_metric_and_log_name_it,
    test_a_trace_is_found_by_its_fault,
)
from tests.e2e.test_policies import (
    HELD_DOWN_S,
    test_a_read_without_an_answer_is_asked_for_twice_in_one_trace,
    test_each_attempt_is_in_the_trace_below_its_call,
)
from tests.e2e.topologies import LEFT_ALONE_REFERENCE
from tests.e2e.traces import Trace, Traces
from tests.waiting import eventually

__all__ = [
    "browsing_trace",
    "faults",
    "test_a_checkout_is_one_trace_through_four_processes",
    "test_a_latency_slows_checkouts_and_trace_metric_and_log_name_it",
    "test_a_read_without_an_answer_is_asked_for_twice_in_one_trace",
    "test_a_trace_is_found_by_its_fault",
    "test_each_attempt_is_in_the_trace_below_its_call",
    "test_every_attempt_is_a_client_span_below_its_logical_call",
    "test_listing_orders_is_one_trace",
    "test_no_call_goes_where_no_edge_is",
    "test_the_edge_is_in_a_real_trace",
]


@pytest.fixture(scope="module")
def with_jaeger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system whose spans go to both, in which nobody but requests calls anybody."""
    need("jaeger")
    with start_system(
        tmp_path_factory.mktemp("with-jaeger"),
        topology=LEFT_ALONE_REFERENCE,
        programs=("jaeger",),
        ready_deadline_s=READY_WITHIN_S,
    ) as started:
        yield started


@pytest.fixture(scope="module", params=["query_url", "jaeger_url"], ids=["embedded", "jaeger"])
def own_system(request: pytest.FixtureRequest, with_jaeger: System) -> System:
    """The same system, as whoever asks this one of its two query APIs sees it."""
    seen = copy.copy(with_jaeger)
    seen.topology = {**with_jaeger.topology, "query_url": with_jaeger.topology[request.param]}
    return seen


@pytest.fixture(scope="module")
def healing(own_system: System) -> System:
    return own_system


@pytest.fixture(scope="module")
def api(with_jaeger: System) -> Api:
    return shopper(with_jaeger)


@pytest.fixture(scope="module")
def traces(own_system: System) -> Traces:
    return Traces(own_system.query_url)


@pytest.fixture(scope="module")
def checkout_trace(api: Api, traces: Traces) -> Trace:
    """Of a checkout that went well at once; on a busy machine the first one need not."""

    def check() -> Trace:
        answer = api.check_out()
        assert answer.status == 201, answer.body
        trace = traces.whole(answer.trace_id, *SERVICES)
        assert {span.tags.get(semconv.ATTEMPT, 1) for span in trace.spans} == {1}
        return trace

    return eventually(check, within=60)


@pytest.fixture
def broken(own_system: System) -> Iterator[System]:
    """Its payments is killed and held down, and back afterwards."""
    own_system.supervisor.kill("payments-1", ttl_s=HELD_DOWN_S)
    yield own_system
    own_system.supervisor.restart("payments-1")
    switch(own_system, "orders", "payments", preset="full")
    confirmed(shopper(own_system))

"""How much is traced, and who writes spans, is chosen where the system is started."""

import secrets
from collections.abc import Iterator

import pytest

from deploy.system import System, start_system
from tests.e2e.http_api import Api
from tests.e2e.running import SERVICES, shopper
from tests.e2e.traces import Trace, Traces
from tests.waiting import eventually

STOCK = "opentelemetry.instrumentation.fastapi"


@pytest.fixture(scope="module")
def sparing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system whose shell wants no traces, and lean spans in those that somebody else began to record."""
    with pytest.MonkeyPatch.context() as shell:
        shell.setenv("TRACE_SAMPLE_RATIO", "0")
        shell.setenv("HTTP_SERVER_SPANS", "lean")
        with start_system(tmp_path_factory.mktemp("sparing")) as started:
            yield started


def test_only_traces_that_a_caller_records_are_kept_and_their_http_spans_are_lean(sparing: System) -> None:
    traces = Traces(sparing.query_url)
    passed_by = shopper(sparing).check_out()
    assert passed_by.status == 201
    trace = recorded(sparing, traces)
    served = [span for span in trace.spans if span.kind == "server" and "http.route" in span.tags]
    assert {span.service for span in served} == {"gateway", "orders"}
    assert STOCK not in {span.tags["otel.scope.name"] for span in served}
    # Each service sends in order: had it recorded the first checkout, that would be there by now.
    with pytest.raises(AssertionError, match=f"{passed_by.trace_id}: 404"):
        traces.now(passed_by.trace_id)


def recorded(system: System, traces: Traces) -> Trace:
    """A checkout's trace that goes on from a recorded span of the caller's; whole but for that one."""
    trace_id, parent_id = secrets.token_hex(16), secrets.token_hex(8)
    caller = Api(system.gateway_url, system.key("chaos").key)
    assert caller.check_out(traceparent=f"00-{trace_id}-{parent_id}-01").trace_id == trace_id

    def check() -> Trace:
        trace = traces.now(trace_id)
        assert {span.parent_id for span in trace.orphans} == {parent_id}
        assert trace.services == set(SERVICES)
        return trace

    return eventually(check, within=15.0)

from collections.abc import Callable, Sequence

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from deploy.bench.backend import floor
from deploy.bench.backend.process import Backend, running
from deploy.bench.backend.spans import FIRST_NS, OPERATION, SERVICES, requests


def test_the_spans_are_the_same_each_time_and_whole_traces() -> None:
    messages = requests(traces=10, spans_per_trace=5, spans_per_request=20)
    assert messages == requests(traces=10, spans_per_trace=5, spans_per_request=20)
    spans = [span for message in messages for span in floor.read(message)]
    assert len(spans) == 50
    roots = [span for span in spans if not span[5]]
    assert len({span[3] for span in spans}) == len(roots) == 10


def test_they_can_be_of_any_time() -> None:
    [message] = requests(traces=1, spans_per_trace=1, spans_per_request=1, first_ns=FIRST_NS + 10**18)
    span = ExportTraceServiceRequest.FromString(message).resource_spans[0].scope_spans[0].spans[0]
    assert 0 <= span.start_time_unix_nano - FIRST_NS - 10**18 < 10**9


def test_the_floor_reads_every_field() -> None:
    [message] = requests(traces=1, spans_per_trace=1, spans_per_request=1)
    span = ExportTraceServiceRequest.FromString(message).resource_spans[0].scope_spans[0].spans[0]
    [read] = floor.read(message)
    assert read[0]["service.name"] == SERVICES[0]
    assert (read[3], read[8], read[10]) == (span.trace_id, OPERATION, span.start_time_unix_nano)
    assert read[12]["http.response.status_code"] == 201


@pytest.mark.parametrize("send", [Backend.export_over_grpc, Backend.export_over_http])
def test_a_backend_is_sent_spans_and_asked_for_them(send: Callable[[Backend, Sequence[bytes]], None]) -> None:
    with running() as backend:
        send(backend, requests(traces=10, spans_per_trace=5, spans_per_request=20))
        assert backend.taken() == 50
        found = backend.get(f"/api/traces?service={SERVICES[0]}&start=1&end={FIRST_NS // 1000 * 2}")
        assert found["data"]
        assert backend.memory_mb() > 1

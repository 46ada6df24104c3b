from collections.abc import Callable, Sequence

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from deploy.bench.backend import floor
from deploy.bench.backend.process import Backend, running
from deploy.bench.backend.spans import FIRST_NS, OPERATION, SERVICES, requests
from deploy.bench.figure import FigureRefusedError
from deploy.bench.figures import backend as figures


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
        assert (backend.taken(), backend.dropped()) == (50, 0)
        found = backend.get(f"/api/traces?service={SERVICES[0]}&start=1&end={FIRST_NS // 1000 * 2}")
        assert found["data"]
        assert backend.memory_mb() > 1


def test_what_was_dropped_is_counted() -> None:
    with running(MAX_SPANS="20") as backend:
        backend.export_over_grpc(requests(traces=10, spans_per_trace=5, spans_per_request=5))
        assert (backend.taken(), backend.dropped()) == (50, 30)


def test_without_loss_and_quick_enough_nothing_is_refused() -> None:
    figures.refuse_loss(sent=50, taken=50, dropped=0)
    figures.refuse_slowness(5_000)


@pytest.mark.parametrize(
    ("refuse", "why"),
    [
        (lambda: figures.refuse_loss(sent=50, taken=49, dropped=0), "of 50 spans 49 were taken"),
        (lambda: figures.refuse_loss(sent=50, taken=50, dropped=1), "of 50 spans 1 were dropped"),
        (lambda: figures.refuse_slowness(4_999.4), "4999 spans/s by the clock, and 5000 is the least"),
    ],
)
def test_a_rate_that_lost_spans_or_is_none_is_refused(refuse: Callable[[], None], why: str) -> None:
    with pytest.raises(FigureRefusedError, match=why):
        refuse()


def test_each_search_finds_what_it_should() -> None:
    with running() as backend:
        backend.export_over_grpc(requests(traces=1_000, spans_per_trace=5, spans_per_request=512))
        assert {name: search.found(backend) for name, search in figures.SEARCHES.items()} == {
            name: search.expected for name, search in figures.SEARCHES.items()
        }

"""What is taken from the wire, what is refused, and how values read as text."""

import contextlib
import gc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from prometheus_client import CollectorRegistry

from observability.embedded.attributes import text
from observability.embedded.otlp import Decoder, MalformedExportError, parse_protobuf
from observability.embedded.otlp_receiver import Ingest
from observability.embedded.store import Bounds, MemoryTraceStore
from observability.metrics import Instruments
from tests.unit.embedded.spans import Made, records, request


@pytest.mark.parametrize("trace_id", [b"", b"\1" * 8, b"\1" * 15, b"\1" * 17, bytes(16)])
def test_a_trace_id_that_is_none_is_refused(trace_id: bytes) -> None:
    sent = request(Made(), Made())
    sent.resource_spans[0].scope_spans[0].spans[0].trace_id = trace_id
    spans, refused, cut = Decoder().decode(sent)
    assert (len(spans), refused, cut) == (1, 1, 0)


@pytest.mark.parametrize("span_id", [b"", b"\1" * 7, b"\1" * 16, bytes(8)])
def test_a_span_id_that_is_none_is_refused(span_id: bytes) -> None:
    assert Decoder().decode(request(Made(span_id=span_id))) == ([], 1, 0)


@pytest.mark.parametrize(("parent", "refused"), [(b"\1", 1), (b"\1" * 9, 1), (b"\1" * 8, 0), (bytes(8), 0)])
def test_a_parent_is_an_id_or_none(parent: bytes, refused: int) -> None:
    spans, found, _ = Decoder().decode(request(Made(parent=parent)))
    assert found == refused
    assert not spans or spans[0].parent_id == parent.strip(b"\0")


@pytest.mark.parametrize(
    ("service", "name"), [("orders", "orders"), (None, "missing-service-name"), ("", "empty-service-name")]
)
def test_a_span_without_a_service_gets_a_name_all_the_same(service: str | None, name: str) -> None:
    assert records(Made(service=service))[0].origin.service == name


def test_a_span_that_ends_before_it_begins_lasts_no_time() -> None:
    assert records(Made(duration_ms=-5))[0].duration_ns == 0


def test_times_far_away_are_kept() -> None:
    sent = request(Made())
    span = sent.resource_spans[0].scope_spans[0].spans[0]
    span.start_time_unix_nano, span.end_time_unix_nano = 0, 2**64 - 1
    assert Decoder().decode(sent).spans[0].duration_ns == 2**64 - 1


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_a_request_or_malformed(body: bytes) -> None:
    with contextlib.suppress(MalformedExportError):
        Decoder().decode(parse_protobuf(body))


@settings(deadline=None)
@given(st.integers(0, 300))
def test_a_cut_request_never_crashes(length: int) -> None:
    body = request(Made(tags={"a": 1}), Made(service="b")).SerializeToString()[:length]
    with contextlib.suppress(MalformedExportError):
        Decoder().decode(parse_protobuf(body))


def test_origins_are_shared_and_let_go() -> None:
    decoder = Decoder()
    body = request(Made())
    (first,), (second,) = decoder.decode(body).spans, decoder.decode(body).spans
    assert first.origin is second.origin
    del first, second
    gc.collect()
    assert not decoder._origins  # noqa: SLF001  # nothing else shows that memory is let go


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (AnyValue(string_value="x"), "x"),
        (AnyValue(bool_value=True), "true"),
        (AnyValue(int_value=-5), "-5"),
        (AnyValue(double_value=1.5), "1.5"),
        (AnyValue(double_value=2.0), "2"),
        (AnyValue(double_value=float("nan")), "nan"),
        (AnyValue(double_value=float("inf")), "inf"),
        (AnyValue(bytes_value=b"\0\1"), "AAE="),
        (AnyValue(), ""),
        (
            AnyValue(array_value=ArrayValue(values=[AnyValue(int_value=3), AnyValue(string_value="<b>")])),
            '[3,"\\u003cb\\u003e"]',
        ),
    ],
)
def test_values_as_text(value: AnyValue, expected: str) -> None:
    assert text(value) == expected


def test_maps_are_sorted_and_deep_nesting_is_cut() -> None:
    entries = [KeyValue(key=key, value=AnyValue(int_value=1)) for key in ("b", "a")]
    assert text(AnyValue(kvlist_value=KeyValueList(values=entries))) == '{"a":1,"b":1}'
    deep = AnyValue(int_value=1)
    for _ in range(40):
        deep = AnyValue(array_value=ArrayValue(values=[deep]))
    assert text(deep) == "[" * 32 + '"…"' + "]" * 32


def test_everything_is_counted() -> None:
    metrics = Instruments(CollectorRegistry())
    ingest = Ingest(MemoryTraceStore(Bounds(2, 10_000)), metrics)
    answer = ingest.take(request(Made(trace=1), Made(trace=2), Made(trace=3), Made(span_id=b"")).SerializeToString())
    assert answer.partial_success.rejected_spans == 1
    assert "8 (span)" in answer.partial_success.error_message
    with pytest.raises(MalformedExportError):
        ingest.take(b"\xff")
    exposition = metrics.exposition()[0].decode()
    for line in (
        'faultline_backend_spans_total{faultline_backend_result="taken"} 3.0',
        'faultline_backend_spans_total{faultline_backend_result="refused"} 1.0',
        'faultline_backend_spans_total{faultline_backend_result="dropped"} 1.0',
        "faultline_backend_malformed_exports_total 1.0",
        "faultline_backend_stored_spans 2.0",
        "faultline_backend_stored_traces 2.0",
    ):
        assert line in exposition


def test_an_empty_request_is_fine() -> None:
    ingest = Ingest(MemoryTraceStore(Bounds(2, 10_000)), Instruments(CollectorRegistry()))
    assert not ingest.take(b"").HasField("partial_success")

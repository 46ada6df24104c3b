"""OTLP over HTTP against a real backend: the real exporter, and what no exporter would send."""

import gzip
import http.client
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from google.rpc import status_pb2  # type: ignore[import-untyped]  # ships no types
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from observability.embedded.otlp_receiver import MAX_BODY_BYTES
from tests.unit.embedded.running import Backend, running
from tests.unit.embedded.spans import Made, request

PROTOBUF, JSON = "application/x-protobuf", "application/json"
GOOD = request(Made(service="sent-over-http")).SerializeToString()
MALFORMED = "faultline_backend_malformed_exports_total"


@pytest.fixture(scope="module")
def backend() -> Iterator[Backend]:
    with running() as started:
        yield started


def post(
    backend: Backend, body: bytes, kind: str = PROTOBUF, path: str = "/v1/traces", **headers: str
) -> tuple[int, Mapping[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", backend.otlp_http_port, timeout=30)
    named = {"Content-Type": kind, **{name.replace("_", "-"): value for name, value in headers.items()}}
    try:
        connection.request("POST", path, body, named)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize("compression", [Compression.NoCompression, Compression.Gzip])
def test_the_real_exporter_is_accepted(backend: Backend, compression: Compression) -> None:
    provider = TracerProvider(resource=Resource({"service.name": f"exported-{compression.value}"}))
    endpoint = f"http://127.0.0.1:{backend.otlp_http_port}/v1/traces"
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(endpoint=endpoint, compression=compression)))
    with provider.get_tracer("test").start_as_current_span("work"):
        pass
    provider.shutdown()
    assert f"exported-{compression.value}" in backend.get("/api/services").json()["data"]


def test_an_answer_has_the_encoding_of_its_request(backend: Backend) -> None:
    status, headers, body = post(backend, GOOD)
    assert (status, headers["content-type"]) == (200, PROTOBUF)
    assert ExportTraceServiceResponse.FromString(body) == ExportTraceServiceResponse()
    status, headers, body = post(backend, b"{}", "application/json; charset=utf-8")
    assert (status, headers["content-type"], json.loads(body)) == (200, JSON, {})


def test_spans_whose_ids_are_none_are_refused_alone(backend: Backend) -> None:
    status, _, body = post(backend, request(Made(), Made(span_id=bytes(8))).SerializeToString())
    answer = ExportTraceServiceResponse.FromString(body)
    assert (status, answer.partial_success.rejected_spans) == (200, 1)
    assert "ids" in answer.partial_success.error_message


def span(**fields: Any) -> bytes:
    made = {"traceId": "01" * 16, "spanId": "01" * 8, "name": "x", **fields}
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [made]}]}]}).encode()


def nested(depth: int) -> bytes:
    value = '{"arrayValue":{"values":[' * depth + '{"intValue":1}' + "]}}" * depth
    return span(attributes=[{"key": "k", "value": 0}]).replace(b'"value": 0', f'"value": {value}'.encode())


@pytest.mark.parametrize(
    ("status", "body", "kind", "headers"),
    [
        (400, GOOD[:-3], PROTOBUF, {}),
        (400, b"\xff" * 100, PROTOBUF, {}),
        (400, b"", JSON, {}),
        (400, b"{", JSON, {}),
        (400, b"\xff\xfe", JSON, {}),
        (400, b"[]", JSON, {}),
        (400, b'{"resourceSpans": 5}', JSON, {}),
        (400, b'{"resourceSpans": [{"scopeSpans": [{"spans": ["x"]}]}]}', JSON, {}),
        (400, span(traceId="no hex"), JSON, {}),
        (400, span(traceId=5), JSON, {}),
        (400, span(startTimeUnixNano="soon"), JSON, {}),
        (400, span(startTimeUnixNano=str(2**64)), JSON, {}),
        (400, span(links=[{"traceId": "xyz"}]), JSON, {}),
        (400, nested(200), JSON, {}),
        (400, nested(20_000), JSON, {}),
        (415, GOOD, "text/plain", {}),
        (415, GOOD, "", {}),
        (415, GOOD, PROTOBUF, {"Content_Encoding": "br"}),
        (400, GOOD, PROTOBUF, {"Content_Encoding": "gzip"}),
        (400, gzip.compress(GOOD)[:-9], PROTOBUF, {"Content_Encoding": "gzip"}),
        (413, gzip.compress(bytes(MAX_BODY_BYTES + 1)), PROTOBUF, {"Content_Encoding": "gzip"}),
        (413, bytes(MAX_BODY_BYTES + 1), PROTOBUF, {}),
    ],
)
def test_what_cannot_be_read_is_refused_and_counted(
    backend: Backend, status: int, body: bytes, kind: str, headers: dict[str, str]
) -> None:
    before = backend.metric(MALFORMED)
    found, sent, answer = post(backend, body, kind, **headers)
    assert found == status
    said = (
        json.loads(answer)["message"] if sent["content-type"] == JSON else status_pb2.Status.FromString(answer).message
    )
    assert said
    assert backend.metric(MALFORMED) == before + 1
    assert post(backend, GOOD)[0] == 200


@pytest.mark.parametrize(
    "body",
    [
        span(startTimeUnixNano=str(16_725_229_200 * 10**9), unknownField={"x": 1}),  # the year 2500
        span(attributes=[{"key": f"k{each}", "value": {"intValue": "1"}} for each in range(20_000)]),
        nested(20),
    ],
)
def test_what_is_odd_is_kept(backend: Backend, body: bytes) -> None:
    assert post(backend, body, JSON)[0] == 200
    assert backend.get("/api/traces/" + "01" * 16).status == 200


@settings(deadline=None, max_examples=50)
@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3), max_leaves=5
    )
)
def test_any_json_is_taken_or_refused(backend: Backend, document: Any) -> None:
    for body in (json.dumps(document), json.dumps({"resourceSpans": document})):
        assert post(backend, body.encode(), JSON)[0] in {200, 400}


def test_other_signals_have_no_place_here(backend: Backend) -> None:
    assert post(backend, GOOD, path="/v1/metrics")[0] == 404

"""Whatever is sent or asked, it is refused or cut, and counted, and the backend goes on."""

from collections.abc import Iterator
from fractions import Fraction

import grpc
import pytest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from observability.embedded.otlp_receiver import MAX_BODY_BYTES
from tests.unit.embedded.running import Backend, exporting, running, send
from tests.unit.embedded.spans import MS, START_NS, Made, request

GOOD = Made(service="good", trace=77)
MALFORMED, CUT = "faultline_backend_malformed_exports_total", "faultline_backend_cut_spans_total"
YEAR_2500_MS = 474 * 365.2425 * 86_400_000
LAST_MS = Fraction(2**64 - 1 - START_NS, MS)
"""The last nanosecond that OTLP can say."""
ALL_V3 = "query.start_time_min=1970-01-01T00:00:00Z&query.start_time_max=2600-01-01T00:00:00Z"
PAGES = ("/?limit=500", "/trace/{id}", "/compare?id={id}&id=4d", "/dependencies")


@pytest.fixture(scope="module")
def backend() -> Iterator[Backend]:
    with running() as started:
        send(started, GOOD)
        yield started


def export(backend: Backend, body: bytes, compression: grpc.Compression = grpc.Compression.NoCompression) -> None:
    options = [("grpc.max_send_message_length", -1)]
    with grpc.insecure_channel(f"127.0.0.1:{backend.otlp_grpc_port}", options) as channel:
        exporting(channel)(body, compression=compression, timeout=60)


def goes_on(backend: Backend) -> None:
    export(backend, request(GOOD).SerializeToString())
    assert backend.get("/api/traces/4d").status == 200
    assert backend.admin("/readyz").status == 200


@pytest.mark.parametrize(
    ("body", "compression", "code"),
    [
        (request(GOOD).SerializeToString()[:-3], grpc.Compression.NoCompression, grpc.StatusCode.INVALID_ARGUMENT),
        (b"\xff" * 1_000, grpc.Compression.NoCompression, grpc.StatusCode.INVALID_ARGUMENT),
        (bytes(MAX_BODY_BYTES + 1), grpc.Compression.NoCompression, grpc.StatusCode.RESOURCE_EXHAUSTED),
        (bytes(4 * MAX_BODY_BYTES), grpc.Compression.Gzip, grpc.StatusCode.RESOURCE_EXHAUSTED),
    ],
    ids=["truncated", "no protobuf", "too large", "bomb"],
)
def test_what_grpc_cannot_read_is_refused_and_counted(
    backend: Backend, body: bytes, compression: grpc.Compression, code: grpc.StatusCode
) -> None:
    before = backend.metric(MALFORMED)
    with pytest.raises(grpc.RpcError) as refused:
        export(backend, body, compression)
    assert refused.value.code() is code
    goes_on(backend)
    assert backend.metric(MALFORMED) == before + 1


def test_a_million_attributes_are_cut_and_shown(backend: Backend) -> None:
    sent, before = request(Made(trace=8, name="many")), backend.metric(CUT)
    attributes = sent.resource_spans[0].scope_spans[0].spans[0].attributes
    attributes.extend(KeyValue(key=f"{each:x}", value=AnyValue(int_value=1)) for each in range(1_000_000))
    export(backend, sent.SerializeToString())
    goes_on(backend)
    assert backend.metric(CUT) == before + 1
    shown = backend.get("/trace/8")
    assert (shown.status, shown.text.count("<tr>") >= 1_000, len(shown.text) < 1_000_000) == (200, True, True)


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(
    ("number", "start_ms", "took_ms"),
    [(5, YEAR_2500_MS, 5), (6, 0, YEAR_2500_MS), (7, LAST_MS, 0)],
    ids=["in the year 2500", "until the year 2500", "at the last moment"],
)
def test_times_far_away_are_shown(
    backend: Backend, path: str, number: int, start_ms: float | Fraction, took_ms: float
) -> None:
    parent = bytes([number]) * 8
    far = Made(trace=number, service="far", start_ms=start_ms, duration_ms=took_ms, span_id=parent)
    send(
        backend, far, Made(trace=number, service="other", start_ms=start_ms, duration_ms=min(took_ms, 1), parent=parent)
    )
    assert backend.get(path.format(id=number)).status == 200
    assert backend.get(f"/api/traces/{number}").status == 200
    assert backend.get(f"/api/v3/traces/{number}").status == 200
    found = backend.get(f"/api/v3/traces?query.service_name=far&{ALL_V3}")
    assert (found.status, parent.hex() in found.text) == (200, True)
    goes_on(backend)


@pytest.mark.parametrize("span", [{"span_id": b""}, {"span_id": bytes(8)}, {"span_id": b"\1" * 9}, {"parent": b"\1"}])
def test_ids_that_are_none_are_refused_and_counted(backend: Backend, span: dict[str, bytes]) -> None:
    before = backend.counted("refused")
    export(backend, request(Made(trace=9, **span)).SerializeToString())  # type: ignore[arg-type]  # ids alone
    goes_on(backend)
    assert backend.counted("refused") == before + 1


def test_searches_that_match_all_are_bounded() -> None:
    with running() as backend:
        for first in range(1, 3_001, 500):
            send(backend, *(Made(trace=each, tags={"k": "v"}) for each in range(first, first + 500)))
        everything = backend.get("/api/traces?service=orders&start=0&limit=99999999").json()["data"]
        assert len(everything) == 1_500
        assert backend.get("/?limit=500&tags=k%3Dv").text.count('<li class="fine">') == 500
        assert len(backend.get('/api/traces?service=orders&start=0&limit=20&tags={"k":"v"}').json()["data"]) == 20
        assert backend.get("/api/traces?service=orders&start=0&tag=k:w").json()["data"] == []
        assert backend.get("/api/dependencies?endTs=99999999999999&lookback=99999999999999").status == 200
        assert backend.get("/dependencies").status == 200

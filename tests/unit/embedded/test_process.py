"""The whole backend: a real process, real sockets, the real exporter."""

import json
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import closing

import grpc
import pytest
from opentelemetry.trace import SpanKind, Status, StatusCode, set_span_in_context

from tests.unit.embedded.running import FREE_PORTS, Backend, exporting, running, spawn
from tests.unit.embedded.spans import Made, request


@pytest.fixture(scope="module")
def backend() -> Iterator[Backend]:
    with running() as started:
        yield started


@pytest.fixture(scope="module")
def checkout_id(backend: Backend) -> str:
    """A trace of two services, as the exporter sends it; its root has markup in its name."""
    with backend.tracer("gateway") as gateway, backend.tracer("orders") as orders:
        root = gateway.start_span("GET <b>", kind=SpanKind.SERVER, attributes={"user.id": "u-1"})
        inner = orders.start_span("reserve", context=set_span_in_context(root))
        inner.set_status(Status(StatusCode.ERROR, "no stock"))
        inner.end()
        root.end()
    return f"{root.get_span_context().trace_id:032x}"


def test_the_trace_is_one_with_both_services(backend: Backend, checkout_id: str) -> None:
    (trace,) = backend.get(f"/api/traces/{checkout_id}").json()["data"]
    root, inner = trace["spans"]
    assert inner["references"][0]["spanID"] == root["spanID"]
    assert {each["serviceName"] for each in trace["processes"].values()} == {"gateway", "orders"}
    assert {"key": "error", "type": "bool", "value": True} in inner["tags"]
    (again,) = backend.get(f"/api/traces/{checkout_id.upper()}?raw=true&prettyPrint=true").json()["data"]
    assert again["traceID"] == checkout_id


def test_services_and_operations(backend: Backend, checkout_id: str) -> None:
    assert checkout_id
    assert {"gateway", "orders"} <= set(backend.get("/api/services").json()["data"])
    assert backend.get("/api/services/orders/operations").json()["data"] == ["reserve"]
    listed = backend.get("/api/operations?service=gateway&spanKind=server").json()
    assert listed["data"] == [{"name": "GET <b>", "spanKind": "server"}]
    assert backend.get("/api/operations?service=gateway&spanKind=client").json()["data"] is None
    nobody = backend.get("/api/services/nobody/operations").json()
    assert nobody == {"data": None, "total": 0, "limit": 0, "offset": 0, "errors": None}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("service=gateway", True),
        ("service=gateway&operation=GET <b>", True),
        ("service=gateway&operation=reserve", False),
        ('service=gateway&tags={"user.id":"u-1"}', True),
        ("service=gateway&tag=user.id:u-2", False),
        ('service=orders&tags={"error":"true"}', True),
        ('service=gateway&tags={"error":"true"}', False),
        ("service=gateway&maxDuration=1h", True),
        ("service=gateway&minDuration=1h", False),
        ("service=gateway&end=1", False),
        ("service=gateway&lookback=1h&limit=1", True),
    ],
)
def test_search(backend: Backend, checkout_id: str, query: str, found: bool) -> None:
    answer = backend.get(f"/api/traces?{query}")
    assert answer.status == 200
    assert [trace["traceID"] for trace in answer.json()["data"]] == [checkout_id] * found


def test_traces_by_several_ids(backend: Backend, checkout_id: str) -> None:
    answer = backend.get(f"/api/traces?traceID={checkout_id}&traceID=abc&traceID={checkout_id}").json()
    assert [trace["traceID"] for trace in answer["data"]] == [checkout_id]
    assert answer["errors"] == [{"msg": "trace not found", "traceID": "0000000000000abc"}]


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/api/traces", 400, "parameter 'service' is required"),
        ("/api/operations", 400, "parameter 'service' is required"),
        ("/api/traces?service=a&limit=x", 400, "invalid syntax"),
        ("/api/traces?traceID=nothex", 400, "invalid syntax"),
        ("/api/traces/nothex", 400, "invalid syntax"),
        ("/api/traces/a/b", 400, "invalid syntax"),
        (f"/api/traces/{'f' * 32}", 404, "trace not found"),
        (f"/api/traces/{'a' * 33}", 400, "longer than 32"),
        ("/api/nothing", 404, "no /api/nothing here"),
    ],
)
def test_what_can_not_be_answered(backend: Backend, path: str, status: int, said: str) -> None:
    answer = backend.get(path)
    assert answer.status == status
    assert answer.json()["errors"][0]["code"] == status
    assert said in answer.json()["errors"][0]["msg"]


def test_the_pages(backend: Backend, checkout_id: str) -> None:
    listed = backend.get("/?service=gateway&minDuration=0s&limit=50")
    assert f'href="/trace/{checkout_id}"' in listed.text
    assert "GET &lt;b&gt;" in listed.text
    shown = backend.get(f"/trace/{checkout_id}")
    assert (listed.status, shown.status) == (200, 200)
    assert "no stock" in shown.text
    assert "GET &lt;b&gt;" in shown.text
    assert "GET <b>" not in shown.text
    assert "default-src 'none'" in shown.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        (f"/trace/{'f' * 32}", 404, "Waiting for this trace"),
        (f"/trace/{'f' * 32}?looked=4", 404, "Waiting for this trace"),
        (f"/trace/{'f' * 32}?looked=5", 404, "This trace is not here"),
        (f"/trace/{'f' * 32}?looked=<script>", 404, "Waiting for this trace"),
        ("/compare", 400, "Choose two in the list, not 0"),
        ("/compare?id=1&id=2&id=3", 400, "Choose two in the list, not 3"),
        ("/compare?id=1&id=<script>", 404, "This trace is not here"),
        ("/compare?id=<script>&id=1", 400, "This is no trace id"),
        ("/dependencies?<script>", 200, "Dependencies"),
        ("/trace/<script>", 400, "This is no trace id"),
        ("/nothing/<script>", 404, "There is no page here"),
        ("/?minDuration=<script>", 400, "is no duration"),
        ("/?service=nobody", 200, "Nothing matches"),
        ("/search?limit=x&errors=1", 200, "traces"),
    ],
)
def test_pages_that_have_nothing_to_show(backend: Backend, path: str, status: int, said: str) -> None:
    answer = backend.get(path)
    assert (answer.status, said in answer.text, "<script" in answer.text) == (status, True, False)


def test_bad_spans_are_refused_and_counted_and_the_backend_goes_on(backend: Backend) -> None:
    with grpc.insecure_channel(f"127.0.0.1:{backend.otlp_grpc_port}") as channel:
        export = exporting(channel)
        before = backend.counted("refused"), backend.counted("taken")
        answer = export(request(Made(span_id=b"short"), Made(service="good")).SerializeToString())
        assert answer.partial_success.rejected_spans == 1
        assert (backend.counted("refused"), backend.counted("taken")) == (before[0] + 1, before[1] + 1)
        assert not export(b"").HasField("partial_success")
        with pytest.raises(grpc.RpcError) as refused:
            export(b"\xff\xff")
        assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert "faultline_backend_malformed_exports_total 1.0" in backend.admin("/metrics").text
        export(request(Made(service="zipped")).SerializeToString(), compression=grpc.Compression.Gzip)
    assert {"good", "zipped"} <= set(backend.get("/api/services").json()["data"])


def test_admin(backend: Backend) -> None:
    alive = backend.admin("/healthz").json()
    assert alive["status"] == "alive"
    assert 0 <= alive["event_loop_lag_s"] < 1
    assert backend.admin("/readyz").json() == {"ready": True, "checks": {"running": "ok"}}
    metrics = backend.admin("/metrics").text
    assert 'faultline_build_info{process_runtime_version="' in metrics
    assert "faultline_event_loop_lag_seconds" in metrics


def test_only_the_newest_traces_are_kept() -> None:
    with running({"MAX_SPANS": "10"}) as small:
        with grpc.insecure_channel(f"127.0.0.1:{small.otlp_grpc_port}") as channel:
            exporting(channel)(request(*(Made(trace=each) for each in range(1, 16))).SerializeToString())
        gone = small.get("/trace/1")
        assert (gone.status, "This trace is gone" in gone.text) == (410, True)
        assert small.get("/api/traces/f").status == 200
        assert (small.counted("taken"), small.counted("dropped")) == (15, 5)
        assert "faultline_backend_stored_spans 10.0" in small.admin("/metrics").text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order(number: int) -> None:
    # A connection that stays open without a request must not hold it up.
    with running() as started, closing(socket.create_connection(("127.0.0.1", started.query_port))):
        started.process.send_signal(number)
        said, _ = started.process.communicate(timeout=60)
        assert started.process.returncode == 0
    assert [json.loads(line)["message"] for line in said.splitlines()] == ["draining"]


def test_a_cut_lifeline_ends_it() -> None:
    reading, writing = os.pipe()
    with closing(os.fdopen(reading)), running({"LIFELINE_FD": str(reading)}, pass_fds=[reading]) as started:
        os.write(writing, b"still here")
        assert started.admin("/readyz").status == 200
        os.close(writing)
        assert started.process.wait(60) == 0


@pytest.mark.parametrize("setting", FREE_PORTS)
def test_a_taken_port_is_named_on_one_line(setting: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = spawn({**FREE_PORTS, setting: str(port)})
        _, stderr = process.communicate(timeout=20)
    assert process.returncode == 69
    assert stderr.count("\n") == 1
    assert str(port) in stderr
    assert setting in stderr


def test_every_wrong_setting_is_named() -> None:
    wrong = {"QUERY_PORT": "http", "ADMIN_PORT": "70000", "MAX_SPANS": "0", "LIFELINE_FD": "999", "LOG_LEVEL": "loud"}
    process = spawn(wrong)
    _, stderr = process.communicate(timeout=20)
    assert process.returncode == 78
    assert all(name in stderr for name in wrong)
    assert "OTLP_GRPC_PORT" not in stderr

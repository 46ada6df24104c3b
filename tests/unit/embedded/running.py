"""A real backend process on free ports, and the real exporter to feed it."""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import grpc
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import Tracer

from tests.unit.embedded.spans import Made, request

if TYPE_CHECKING:
    Export = grpc.UnaryUnaryMultiCallable[bytes, ExportTraceServiceResponse]

CHECKOUT = Path(__file__).resolve().parents[3]
_EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
FREE_PORTS = {"QUERY_PORT": "0", "OTLP_GRPC_PORT": "0", "OTLP_HTTP_PORT": "0", "ADMIN_PORT": "0"}


def spawn(settings: Mapping[str, str], **options: Any) -> "subprocess.Popen[str]":
    """The process with nothing but `settings` in its environment that could matter."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(CHECKOUT), **settings}
    return subprocess.Popen(
        [sys.executable, "-m", "observability.embedded"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


@dataclass(frozen=True)
class Answer:
    status: int
    text: str
    headers: Mapping[str, str]

    def json(self) -> Any:
        return json.loads(self.text)


@dataclass(frozen=True)
class Backend:
    process: "subprocess.Popen[str]"
    query_port: int
    otlp_grpc_port: int
    otlp_http_port: int
    admin_port: int

    def get(self, path: str) -> Answer:
        return _get(f"http://127.0.0.1:{self.query_port}{quote(path, safe='/?&=%:')}")

    def admin(self, path: str) -> Answer:
        return _get(f"http://127.0.0.1:{self.admin_port}{path}")

    def counted(self, result: str) -> float:
        """Spans of which this became."""
        wanted = f'faultline_backend_spans_total{{faultline_backend_result="{result}"}} '
        lines = self.admin("/metrics").text.splitlines()
        return next(float(line.removeprefix(wanted)) for line in lines if line.startswith(wanted))

    def metric(self, name: str) -> float:
        """The value of a metric without labels."""
        lines = self.admin("/metrics").text.splitlines()
        return next(float(line.removeprefix(f"{name} ")) for line in lines if line.startswith(f"{name} "))

    @contextmanager
    def tracer(self, service: str) -> Iterator[Tracer]:
        """A tracer whose spans are exported before their `end` returns."""
        provider = TracerProvider(resource=Resource({"service.name": service}))
        exporter = OTLPSpanExporter(endpoint=f"http://127.0.0.1:{self.otlp_grpc_port}", insecure=True)
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        yield provider.get_tracer("test")
        provider.shutdown()


def exporting(channel: grpc.Channel) -> "Export":
    """Sends bytes, so that they may be no request."""
    method: Export = channel.unary_unary(_EXPORT, None, ExportTraceServiceResponse.FromString)
    return method


def send(backend: Backend, *spans: Made) -> None:
    """Over HTTP; the spans are there when this returns."""
    body, kind = request(*spans).SerializeToString(), {"Content-Type": "application/x-protobuf"}
    address = f"http://127.0.0.1:{backend.otlp_http_port}/v1/traces"
    with urllib.request.urlopen(urllib.request.Request(address, body, kind), timeout=20) as answer:
        assert answer.status == 200


def _get(url: str) -> Answer:
    try:
        with urllib.request.urlopen(url, timeout=20) as response:
            return Answer(response.status, response.read().decode(), dict(response.headers))
    except urllib.error.HTTPError as exc:
        with exc:
            return Answer(exc.code, exc.read().decode(), dict(exc.headers))


@contextmanager
def running(settings: Mapping[str, str] | None = None, **options: Any) -> Iterator[Backend]:
    """Started and ready; ended, by force if need be, when left."""
    process = spawn({**FREE_PORTS, **(settings or {})}, **options)
    try:
        yield Backend(process, **_ports(process))
    finally:
        process.terminate()
        try:
            process.communicate(timeout=15)
        finally:
            process.kill()


def _ports(process: "subprocess.Popen[str]") -> dict[str, int]:
    assert process.stdout is not None
    for line in process.stdout:
        said = json.loads(line)
        if said["message"] == "ready":
            return {key: value for key, value in said.items() if key.endswith("_port")}
    raise AssertionError(f"the backend ended before it was ready: {process.communicate()[1]}")

"""A trace backend that runs, from the outside."""

import http.client
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any, Final, cast

import grpc
import psutil

from deploy.bench.figure import FigureRefusedError
from deploy.supervisor.memory import memory_of

_HOST: Final = "127.0.0.1"
_PATIENCE_S: Final = 60.0
_EXPORT: Final = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
_PORTS: Final = dict.fromkeys(("QUERY_PORT", "OTLP_GRPC_PORT", "OTLP_HTTP_PORT", "ADMIN_PORT"), "0")
_SPANS: Final = 'faultline_backend_spans_total{{faultline_backend_result="{}"}}'


@dataclass(frozen=True)
class Backend:
    """`ports` by their name in its log, such as `query_port`."""

    pid: int
    ports: dict[str, int]

    def export_over_grpc(self, messages: Sequence[bytes]) -> None:
        """Sends them one after the other, as an exporter does."""
        with grpc.insecure_channel(f"{_HOST}:{self.ports['otlp_grpc_port']}") as channel:
            export: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(_EXPORT)
            for message in messages:
                export(message, timeout=_PATIENCE_S)

    def export_over_http(self, messages: Sequence[bytes]) -> None:
        """Sends them one after the other, on one connection. Raises FigureRefusedError where one is not taken."""
        connection = http.client.HTTPConnection(_HOST, self.ports["otlp_http_port"], timeout=_PATIENCE_S)
        for message in messages:
            connection.request("POST", "/v1/traces", message, {"content-type": "application/x-protobuf"})
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                raise FigureRefusedError(f"the backend answered an export with {answer.status}")
        connection.close()

    def get(self, path: str) -> Any:
        """The JSON that its query API answers. Raises FigureRefusedError for any status but 200."""
        return json.loads(self._get("query_port", path))

    def page(self, path: str) -> str:
        """The HTML that its page answers. Raises FigureRefusedError for any status but 200."""
        return self._get("query_port", path).decode()

    def taken(self) -> int:
        """Spans that it took so far."""
        return self._counted("taken")

    def dropped(self) -> int:
        """Spans that it took, and forgot to stay in its bounds."""
        return self._counted("dropped")

    def _counted(self, result: str) -> int:
        lines = self._get("admin_port", "/metrics").decode().splitlines()
        wanted = _SPANS.format(result)
        return next(int(float(line.rpartition(" ")[2])) for line in lines if line.startswith(wanted))

    def spent_s(self) -> float:
        """Processor time so far, in steps of a hundredth of a second."""
        times = psutil.Process(self.pid).cpu_times()
        return times.user + times.system

    def memory_mb(self) -> float:
        """Its share of what is really there; 10^6 bytes. Raises FigureRefusedError where that cannot be read."""
        if (memory := memory_of(self.pid)) is None:
            raise FigureRefusedError("the backend ended, or its memory cannot be read")
        return memory.bytes / 1e6

    def _get(self, port: str, path: str) -> bytes:
        connection = http.client.HTTPConnection(_HOST, self.ports[port], timeout=_PATIENCE_S)
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        if answer.status != 200:
            raise FigureRefusedError(f"the backend answered {path} with {answer.status}")
        return body


@contextmanager
def running(**settings: str) -> Iterator[Backend]:
    """A backend on free ports for the block, with its usual settings but for `settings`."""
    command = [sys.executable, "-m", "observability.embedded"]
    environment = {**os.environ, **_PORTS, **settings}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True)
    try:
        yield Backend(process.pid, _ports(cast("IO[str]", process.stdout)))
    finally:
        process.terminate()
        process.communicate()


def _ports(log: IO[str]) -> dict[str, int]:
    for line in log:
        entry = json.loads(line)
        if entry.get("message") == "ready":
            return {name: value for name, value in entry.items() if name.endswith("_port")}
    raise FigureRefusedError("the backend did not start")

"""A collector of spans that takes all and looks at nothing."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import grpc
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

_EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


class _TakesAll(grpc.GenericRpcHandler):
    def service(self, call: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[bytes, bytes] | None":
        if call.method != _EXPORT:
            return None
        answer = ExportTraceServiceResponse().SerializeToString()
        return grpc.unary_unary_rpc_method_handler(lambda _request, _context: answer)


@contextmanager
def sink() -> Iterator[str]:
    """Its address, as `http://host:port`, for the block."""
    server = grpc.server(ThreadPoolExecutor(1), handlers=[_TakesAll()])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.stop(None).wait()
